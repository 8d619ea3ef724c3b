// What a guest does to its stream: what it may see of it, replies, going on, closing; and what becomes of the stream
// when the guest is dead, or holds it for too long.
#include <utility>

#include "base/log.h"
#include "proxy_wasm/stream_context.h"

namespace weir::proxy_wasm {
namespace {

constexpr int kGrpcUnavailable = 14;

}  // namespace

const http::HeaderMap* StreamContext::readableMap(HeaderMapType type) {
  switch (type) {
    case HeaderMapType::RequestHeaders: return logging_ ? handle_->requestHeaders() : request_.headers;
    case HeaderMapType::RequestTrailers: return logging_ ? nullptr : request_.trailers;
    case HeaderMapType::ResponseHeaders: return logging_ ? handle_->responseHeaders() : response_.headers;
    case HeaderMapType::ResponseTrailers: return logging_ ? handle_->responseTrailers() : response_.trailers;
    default: return Context::readableMap(type);
  }
}

http::HeaderMap* StreamContext::writableMap(HeaderMapType type) {
  if (logging_ || handle_ == nullptr) return nullptr;
  switch (type) {
    case HeaderMapType::RequestHeaders: return request_.headers;
    case HeaderMapType::ResponseHeaders: return response_.headers;
    // Whoever wants to write trailers in the last body callback gets some to write to.
    case HeaderMapType::RequestTrailers:
      if (request_.trailers == nullptr && request_.body != nullptr && request_.ended) {
        request_.trailers = &handle_->addRequestTrailers();
      }
      return request_.trailers;
    case HeaderMapType::ResponseTrailers:
      if (response_.trailers == nullptr && response_.body != nullptr && response_.ended) {
        response_.trailers = &handle_->addResponseTrailers();
      }
      return response_.trailers;
    default: return nullptr;
  }
}

std::optional<BufferView> StreamContext::buffer(BufferType type) {
  if (type != BufferType::HttpRequestBody && type != BufferType::HttpResponseBody) return Context::buffer(type);
  Side& side = type == BufferType::HttpRequestBody ? request_ : response_;
  base::BufferChain* chain = side.body;
  if (chain == nullptr && side.buffering && handle_ != nullptr) chain = keptBody(side);
  return BufferView{chain, {}, chain != nullptr};
}

void StreamContext::askReply(filter::LocalReply reply) {
  // One is on its way already, or it is too late for any (Envoy answers that with a crash).
  if (reply_ || logging_ || destroyed_ || handle_ == nullptr) return;
  reply_asked_in_call_ = true;
  reply_ = std::move(reply);
  vm_.defer({Vm::Action::Kind::LocalReply, this});
}

void StreamContext::askContinue(StreamType direction) {
  const auto kind =
      direction == StreamType::Request ? Vm::Action::Kind::ContinueRequest : Vm::Action::Kind::ContinueResponse;
  if (!logging_ && !destroyed_ && handle_ != nullptr) vm_.defer({kind, this});
  // As Envoy, for either direction: the request is out of reach from now on.
  request_.headers = nullptr;
  request_.trailers = nullptr;
}

void StreamContext::askClose() {
  if (logging_ || destroyed_ || handle_ == nullptr) return;
  std::string& details = handle_->info().response_code_details;
  if (details.empty()) details = "wasm_close_stream";
  vm_.defer({Vm::Action::Kind::CloseStream, this});
}

// An empty piece costs something, too.
AbiStatus StreamContext::askInject(std::string_view bytes, bool end) {
  if (logging_ || destroyed_ || handle_ == nullptr) return AbiStatus::Ok;
  if (injections_.empty() && !handle_->responsePaused()) injected_ = 0;
  const size_t size = bytes.size() + sizeof(Injection);
  if (injected_ + size > kMaxInjected) {
    vm_.code().injections_refused.add();
    return AbiStatus::InternalFailure;
  }
  injected_ += size;
  injections_.push_back({base::BufferChain(bytes), end});
  vm_.defer({Vm::Action::Kind::InjectResponse, this});
  return AbiStatus::Ok;
}

void StreamContext::injectAsked() {
  if (handle_ == nullptr || injections_.empty()) return;
  Injection injection = std::move(injections_.front());
  injections_.pop_front();
  handle_->injectResponse(injection.bytes, injection.end);
}

void StreamContext::askBufferLimit(uint32_t bytes) {
  if (logging_ || destroyed_ || handle_ == nullptr) return;
  constexpr size_t kAny = ~size_t{0};
  const auto meant = [](size_t limit) { return limit == 0 ? kAny : limit; };
  const size_t most = std::max(meant(handle_->configuredBufferLimit()), vm_.code().budgets.body_bytes);
  if (meant(bytes) > most) {
    vm_.code().body_limits_refused.add();
    if (root()->warnOnce()) {
      LOG(Wasm, Warning,
          "plugin {} asks that {} bytes of a body be kept, and may have {} (--plugin-limit {}:body-mb=...)",
          root()->spec().name, bytes, most, root()->spec().name);
    }
  }
  const size_t granted = std::min(meant(bytes), most);
  if (!asked_limit_) vm_.defer({Vm::Action::Kind::SetBufferLimit, this});
  asked_limit_ = granted == kAny ? 0 : granted;
}

void StreamContext::setAskedLimit() {
  const std::optional<size_t> limit = std::exchange(asked_limit_, std::nullopt);
  if (handle_ != nullptr && limit) handle_->setBufferLimit(*limit);
}

void StreamContext::sendAskedReply() {
  if (!reply_ || handle_ == nullptr) return;
  filter::LocalReply reply = std::move(*reply_);
  reply_.reset();
  handle_->sendLocalReply(std::move(reply));
}

void StreamContext::continueRequest() {
  if (handle_ == nullptr) return;
  request_.stopped = false;
  setHeld(request_, false);
  request_.buffering = false;  // What was kept goes now; the next piece comes alone.
  handle_->continueRequest();
}

void StreamContext::continueResponse() {
  if (handle_ == nullptr) return;
  response_.stopped = false;
  setHeld(response_, false);
  response_.buffering = false;
  handle_->continueResponse();
}

void StreamContext::close() {
  if (handle_ != nullptr) handle_->resetStream();
}

bool StreamContext::failsOpen() const { return plugin_->root().spec().failsOpen(); }

bool StreamContext::goesOnWithout() {
  if (passing_) return true;
  noteFault();
  if (failsOpen()) {
    passing_ = true;
    return true;
  }
  passing_ = true;  // The answer passes this filter, too.
  handle_->sendLocalReply({503, "", plugin_->root().spec().failureDetails(), {}, kGrpcUnavailable});
  return false;
}

void StreamContext::onVmFailed() {
  if (handle_ == nullptr || destroyed_ || (!request_.stopped && !response_.stopped)) return;
  letGo();
}

void StreamContext::letGo() {
  if (!goesOnWithout()) return;
  if (request_.stopped) continueRequest();
  if (response_.stopped && !destroyed_) continueResponse();
}

void StreamContext::setHeld(Side& side, bool held) {
  side.held = held;
  if (!held) {
    if (pause_ != nullptr && !request_.held && !response_.held) pause_->disarm();
    return;
  }
  const base::Duration limit = vm_.code().budgets.pause;
  if (limit == base::Duration::zero()) return;
  if (pause_ == nullptr) pause_ = std::make_unique<event::Timer>(handle_->loop(), [this] { onPauseEnded(); });
  pause_->arm(limit);
}

// The guest may still say that it goes on: the stream has passed it by then.
void StreamContext::onPauseEnded() {
  if (handle_ == nullptr || destroyed_) return;
  vm_.code().pauses_ended.add();
  LOG(Wasm, Warning, "plugin {} held a stream for {} ms and did not let it go on", plugin_->root().spec().name,
      base::milliseconds(vm_.code().budgets.pause));
  noteFault("pause");
  letGo();
}

}  // namespace weir::proxy_wasm
