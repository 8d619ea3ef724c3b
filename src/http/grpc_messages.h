// gRPC's messages as they stand in a body: "Length-Prefixed-Message" of gRPC over HTTP/2, a flag that says whether it
// is compressed, four bytes of length, and the message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/buffer.h"

namespace weir::http {

// What stands before a message of that size, which is not compressed.
std::string grpcPrefix(uint32_t size);

// Takes messages out of a body, however it is cut into pieces. Keeps the bytes of a message that is not whole yet: at
// most the limit, and what add() brought at once.
class GrpcMessages {
 public:
  enum class Fault : uint8_t { None, BadFlag, TooLong };
  struct Message {
    bool compressed = false;
    base::BufferChain bytes;
  };

  explicit GrpcMessages(uint32_t max_message) : max_message_(max_message) {}
  // Takes all of bytes.
  void add(base::BufferChain& bytes) { pending_.append(bytes); }
  // The next message that is whole. nullopt: there is none yet, or there will be none any more (fault()).
  std::optional<Message> next();
  Fault fault() const { return fault_; }

 private:
  uint32_t max_message_;
  base::BufferChain pending_;
  Fault fault_ = Fault::None;
};

}  // namespace weir::http
