#include "proxy_wasm/callout.h"

#include "proxy_wasm/root_context.h"
#include "proxy_wasm/vm.h"

namespace weir::proxy_wasm {

bool Callout::begin(upstream::Cluster& cluster, event::Loop& loop, upstream::HttpCallRequest request) {
  beginning_ = true;
  call_ = upstream::startHttpCall(cluster, loop, std::move(request), *this);
  beginning_ = false;
  return !ended_;
}

void Callout::onCallResponse(upstream::HttpCallResponse response) {
  response_ = std::move(response);
  ended();
}

void Callout::onCallFailure(http::ResetReason) { ended(); }

void Callout::ended() {
  ended_ = true;
  if (beginning_) return;
  Vm& vm = root_.vm();
  if (vm.running()) return vm.defer({Vm::Action::Kind::CallDone, &root_, token_});
  root_.deliverCall(token_);
}

}  // namespace weir::proxy_wasm
