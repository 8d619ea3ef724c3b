// An HTTP callout of a plugin, from the host call that begins it until the guest has been told the answer.
//
// The answer may come within begin() (no callback then: the host call says so), while a guest runs (told afterwards),
// or at any other time (told at once).
#pragma once

#include <memory>
#include <optional>

#include "event/loop.h"
#include "upstream/http_call.h"

namespace weir::proxy_wasm {

class RootContext;

class Callout final : public event::Deferred, private upstream::HttpCallReceiver {
 public:
  Callout(RootContext& root, uint32_t token) : root_(root), token_(token) {}

  // False: it ended at once.
  bool begin(upstream::Cluster& cluster, event::Loop& loop, upstream::HttpCallRequest request);
  // Once ended: the answer, or null if the call was reset.
  upstream::HttpCallResponse* response() { return response_ ? &*response_ : nullptr; }
  void cancel() { call_.reset(); }

 private:
  void onCallResponse(upstream::HttpCallResponse response) override;
  void onCallFailure(http::ResetReason reason) override;
  void ended();

  RootContext& root_;
  const uint32_t token_;
  std::unique_ptr<upstream::HttpCall> call_;
  std::optional<upstream::HttpCallResponse> response_;
  bool beginning_ = false;
  bool ended_ = false;
};

}  // namespace weir::proxy_wasm
