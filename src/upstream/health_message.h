// The two messages of gRPC's health service (grpc.health.v1), as they stand on the wire: length-prefixed, and protobuf.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/grpc_messages.h"

namespace weir::upstream {

// HealthCheckRequest for a service; empty: the server as a whole.
std::string healthRequest(std::string_view service);

// Reads the body of an answer, however it is cut into pieces. Its one message may be preceded and followed by empty
// ones, which say nothing.
class HealthResponseReader {
 public:
  // An answer is a few bytes; what a peer may add in fields that nobody knows has a limit.
  static constexpr uint32_t kMaxMessage = 64 * 1024;

  // False if this is no answer: a second message, a compressed one, one that is too long, or no protobuf.
  bool read(base::BufferChain& bytes);
  // HealthCheckResponse.status is SERVING in the message that has come.
  bool serving() const { return status_ == kServing; }

 private:
  static constexpr uint64_t kServing = 1;
  bool readMessage(const http::GrpcMessages::Message& message);

  http::GrpcMessages messages_{kMaxMessage};
  uint64_t status_ = 0;
  bool complete_ = false;
};

}  // namespace weir::upstream
