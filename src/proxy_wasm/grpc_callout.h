// A gRPC call or stream of a plugin, from the host call that begins it until the guest has been told its end.
//
// What comes may come within begin() (then the host call says that it failed, and nothing is told), while a guest runs
// (kept, and told in order afterwards), or at any other time (told at once). A call of the unary kind tells its message
// or its failure, and nothing else.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "event/loop.h"
#include "upstream/grpc_stream.h"

namespace weir::proxy_wasm {

class GrpcCalls;

class GrpcCallout final : public event::Deferred, private upstream::GrpcReceiver {
 public:
  enum class Kind : uint8_t { Unary, Stream };
  // Something that came, to be told to the guest.
  struct Event {
    enum class Kind : uint8_t { InitialMetadata, Message, TrailingMetadata, Close };
    Kind kind;
    http::HeaderMap metadata{};
    base::BufferChain message{};
    int status = 0;
    std::string text{};  // Of a close.
  };

  GrpcCallout(GrpcCalls& owner, uint32_t token, Kind kind) : owner_(owner), token_(token), kind_(kind) {}

  // request: the one message of a unary call. False: it ended at once, or its message is too long.
  bool begin(upstream::Cluster& cluster, event::Loop& loop, const upstream::GrpcOptions& options,
             http::HeaderMap headers, std::optional<std::string_view> request);
  // False: too much waits to be sent. On the canary's, and after the end, messages go nowhere.
  bool send(std::string_view message, bool end);
  void end();
  void cancel();

  // It has ended, and the guest has been told all of it, or is being told the last.
  bool over() const { return closed_ && events_.empty(); }
  uint32_t token() const { return token_; }
  // What has come and was not told yet.
  std::deque<Event>& events() { return events_; }

 private:
  // upstream::GrpcReceiver
  void onGrpcInitialMetadata(http::HeaderMap& metadata) override;
  void onGrpcMessage(base::BufferChain& message) override;
  void onGrpcTrailingMetadata(http::HeaderMap& metadata) override;
  void onGrpcClose(int status, std::string_view message) override;
  void came(Event event);

  GrpcCalls& owner_;
  const uint32_t token_;
  const Kind kind_;
  std::unique_ptr<upstream::GrpcStream> stream_;
  std::optional<base::BufferChain> answer_;  // Of a unary call: its last message.
  std::deque<Event> events_;
  bool beginning_ = false;
  bool closed_ = false;
};

}  // namespace weir::proxy_wasm
