// The gRPC calls and streams of a plugin on one worker, with what the guest may read of them now. Belongs to the
// plugin's root, on which all of them are told.
#pragma once

#include <memory>
#include <string_view>
#include <unordered_map>

#include "proxy_wasm/abi.h"
#include "proxy_wasm/grpc_callout.h"
#include "proxy_wasm/pairs.h"

namespace weir::proxy_wasm {

class RootContext;
struct GrpcTarget;

class GrpcCalls {
 public:
  // The longest message that a guest is handed: as gRPC's own clients take by default.
  static constexpr uint32_t kMaxMessage = 4 * 1024 * 1024;

  explicit GrpcCalls(RootContext& root) : root_(root) {}
  ~GrpcCalls();

  struct Request {
    std::string_view service;
    std::string_view method;
    const PairViews& metadata;
    std::optional<std::string_view> message;  // Of a call; a stream has none yet.
    base::Duration timeout{};
  };
  // ParseFailure: nobody of that name. BadArgument: no client can be made for the target. InternalFailure: it failed at
  // once, or as many as the budget has are under way; nothing will be told.
  AbiStatus begin(const GrpcTarget& target, const Request& request, uint32_t& token);
  AbiStatus send(uint32_t token, std::string_view message, bool end);
  // close: of a stream, nothing more will be sent; a call is cancelled.
  AbiStatus close(uint32_t token);
  AbiStatus cancel(uint32_t token);
  void cancelAll();

  size_t pending() const { return calls_.size(); }
  // Whether a call, not a stream, is under way.
  bool waits() const;
  // What is being told to the guest; null at other times.
  const http::HeaderMap* initialMetadata() const { return initial_metadata_; }
  const http::HeaderMap* trailingMetadata() const { return trailing_metadata_; }
  base::BufferChain* message() const { return message_; }

  // By a callout: it has something to tell.
  void onCame(GrpcCallout& callout);
  // Tells the guest what has come of a call.
  void deliver(uint32_t token);

 private:
  std::unique_ptr<GrpcCallout> take(uint32_t token);
  void tell(uint32_t token, GrpcCallout::Event& event);
  void discard(std::unique_ptr<GrpcCallout> callout);

  RootContext& root_;
  std::unordered_map<uint32_t, std::unique_ptr<GrpcCallout>> calls_;
  const http::HeaderMap* initial_metadata_ = nullptr;
  const http::HeaderMap* trailing_metadata_ = nullptr;
  base::BufferChain* message_ = nullptr;
};

}  // namespace weir::proxy_wasm
