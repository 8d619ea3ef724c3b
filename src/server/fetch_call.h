// A request that the main thread has a worker send, because the clusters are there.
#pragma once

#include <functional>
#include <memory>

#include "event/loop.h"
#include "proxy_wasm/fetch.h"
#include "upstream/http_call.h"

namespace weir::server {

// Of the worker's thread. Destroying it cancels it. ended: told once, with the answer; the call may be destroyed later,
// at the end of the turn (Loop::destroyLater).
class FetchCall final : public event::Deferred, private upstream::HttpCallReceiver {
 public:
  using Ended = std::function<void(FetchCall& call, proxy_wasm::FetchAnswer answer)>;
  explicit FetchCall(Ended ended) : ended_(std::move(ended)) {}

  // Null cluster: there is none of that name. May tell within the call.
  void start(upstream::Cluster* cluster, event::Loop& loop, const proxy_wasm::FetchRequest& request);

 private:
  void onCallResponse(upstream::HttpCallResponse response) override;
  void onCallFailure(http::ResetReason reason) override;

  const Ended ended_;
  size_t max_bytes_ = 0;
  std::unique_ptr<upstream::HttpCall> call_;
};

}  // namespace weir::server
