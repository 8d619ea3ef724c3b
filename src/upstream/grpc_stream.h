// A gRPC call to a cluster: messages go, and come, until it is closed with a status.
//
// Behaves as Envoy's async gRPC client: who gives no gRPC answer has a status all the same, made of the HTTP status or
// of what went wrong.
#pragma once

#include <string>
#include <string_view>

#include "http/grpc_messages.h"
#include "upstream/call_stream.h"

namespace weir::upstream {

class GrpcReceiver {
 public:
  // Any of these may destroy the stream.
  virtual void onGrpcInitialMetadata(http::HeaderMap& metadata) = 0;
  virtual void onGrpcMessage(base::BufferChain& message) = 0;
  virtual void onGrpcTrailingMetadata(http::HeaderMap& metadata) = 0;
  // The last that is told. status: 0 to 16, or -1 for one that the peer has made up.
  virtual void onGrpcClose(int status, std::string_view message) = 0;

 protected:
  ~GrpcReceiver() = default;
};

struct GrpcOptions {
  base::Duration timeout{};  // Zero: none.
  uint32_t max_message = 4 * 1024 * 1024;
  bool says_internal = true;
};

// Destroying it cancels the call.
class GrpcStream final : private CallStream::Receiver {
 public:
  // Messages that wait to be sent, in bytes; beyond it none is taken.
  static constexpr size_t kMaxWaiting = 8 * 1024 * 1024;

  GrpcStream(Cluster& cluster, event::Loop& loop, GrpcReceiver& receiver, const GrpcOptions& options);

  // headers: as grpcHeaders() gives them. The receiver may be told all before it returns.
  void start(http::HeaderMap headers) { stream_.start(std::move(headers), false); }
  // Before start(), too. False: too much waits; nothing was taken. After the end a message is dropped.
  bool send(std::string_view message, bool end);
  // No message follows.
  void end();

 private:
  // CallStream::Receiver
  void onCallHeaders(http::HeaderMap& headers, bool end_stream) override;
  void onCallBody(base::BufferChain& bytes, bool end_stream) override;
  void onCallTrailers(http::HeaderMap& trailers) override;
  void onCallEnd() override;
  void onCallReset(http::ResetReason reason) override;

  void judge(http::HeaderMap& last);
  void failNow(int status);
  void close();

  GrpcReceiver& receiver_;
  http::GrpcMessages messages_;
  std::optional<int> status_;  // Once it is known how the call ends.
  std::string message_;
  CallStream stream_;
  event::Lifeline lifeline_;
};

// The head of a call, without metadata. timeout: what the server is told; nullopt: nothing.
http::HeaderMap grpcHeaders(std::string_view authority, std::string_view service, std::string_view method,
                            std::optional<base::Duration> timeout);

}  // namespace weir::upstream
