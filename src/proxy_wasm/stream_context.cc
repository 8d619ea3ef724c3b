#include "proxy_wasm/stream_context.h"

#include <array>

namespace weir::proxy_wasm {

using filter::BodyAction;
using filter::HeadersAction;
using filter::TrailersAction;

StreamContext::StreamContext(std::shared_ptr<StartedPlugin> plugin)
    : Context(plugin->vm()), plugin_(std::move(plugin)) {}
StreamContext::~StreamContext() = default;

HeadersAction StreamContext::onRequestHeaders(http::HeaderMap& map, bool end_stream) {
  if (!enterGuest()) return goesOnWithout() ? HeadersAction::Continue : HeadersAction::StopAllAndWatermark;
  return headers(request_, Callback::RequestHeaders, vm_.shape().request_headers_take_end, map, end_stream);
}

BodyAction StreamContext::onRequestBody(base::BufferChain& bytes, bool end_stream) {
  if (!created_) return BodyAction::Continue;
  return body(request_, Callback::RequestBody, bytes, end_stream);
}

TrailersAction StreamContext::onRequestTrailers(http::HeaderMap& map) {
  if (!created_) return TrailersAction::Continue;
  return trailers(request_, Callback::RequestTrailers, map);
}

// A stream that was answered before its request reached this plugin is not the plugin's.
HeadersAction StreamContext::onResponseHeaders(http::HeaderMap& map, bool end_stream) {
  if (!created_) return HeadersAction::Continue;
  setHeld(request_, false);  // It is answered: what is held of the request holds nobody up.
  return headers(response_, Callback::ResponseHeaders, vm_.shape().response_headers_take_end, map, end_stream);
}

BodyAction StreamContext::onResponseBody(base::BufferChain& bytes, bool end_stream) {
  if (!created_) return BodyAction::Continue;
  return body(response_, Callback::ResponseBody, bytes, end_stream);
}

TrailersAction StreamContext::onResponseTrailers(http::HeaderMap& map) {
  if (!created_) return TrailersAction::Continue;
  return trailers(response_, Callback::ResponseTrailers, map);
}

void StreamContext::onRequestMetadata(http::Metadata& metadata) { this->metadata(Callback::RequestMetadata, metadata); }

void StreamContext::onResponseMetadata(http::Metadata& metadata) {
  this->metadata(Callback::ResponseMetadata, metadata);
}

void StreamContext::onLog() {
  if (passing_ || vm_.failed()) return;
  if (!enterGuest()) return;
  if (!vm_.has(Callback::Log)) return;
  logging_ = true;
  call(Callback::Log, 0, 0, 1);
  logging_ = false;
}

// As in Envoy a stream's answer to proxy_on_done is not heard: it is deleted at once.
void StreamContext::onDestroy() {
  if (destroyed_) return;
  destroyed_ = true;
  request_ = response_ = {};
  pause_.reset();
  if (created_ && !vm_.failed()) {
    if (vm_.has(Callback::Done)) call(Callback::Done, 0, 0, 1);
    if (vm_.has(Callback::Delete)) call(Callback::Delete, 0, 0, 1);
  }
  if (created_ && !vm_.failed()) vm_.countServed();
  leave();
  handle_ = nullptr;
}

bool StreamContext::enterGuest() {
  if (passing_ || vm_.failed()) return false;
  if (created_) return true;
  created_ = true;
  if (!vm_.has(Callback::ContextCreate)) return true;
  return call(Callback::ContextCreate, plugin_->root().id(), 0, 2).has_value();
}

std::optional<uint32_t> StreamContext::call(Callback callback, uint32_t a, uint32_t b, size_t count) {
  const std::array<uint32_t, 3> arguments{id(), a, b};
  const auto result = vm_.call(callback, *this, std::span(arguments).first(count), vm_.callbackLimit());
  if (!result) noteFault();
  return result;
}

HeadersAction StreamContext::headers(Side& side, Callback callback, bool takes_end, http::HeaderMap& map,
                                     bool end_stream) {
  if (passing_) return HeadersAction::Continue;
  std::optional<uint32_t> result = 0;
  side.headers = &map;
  side.ended = end_stream;
  reply_asked_in_call_ = false;
  if (vm_.failed()) {
    result = std::nullopt;
  } else if (vm_.has(callback)) {
    result = call(callback, static_cast<uint32_t>(map.size()), end_stream ? 1 : 0, takes_end ? 3 : 2);
  }
  if (destroyed_) return HeadersAction::StopAllAndWatermark;
  if (!result) return goesOnWithout() ? HeadersAction::Continue : HeadersAction::StopAllAndWatermark;

  const HeadersAction action = reply_asked_in_call_ ? HeadersAction::StopAllAndWatermark : headersAction(*result);
  side.stopped = action != HeadersAction::Continue;
  if (!side.stopped) side.headers = nullptr;
  const bool hears_body = action == HeadersAction::StopIteration && !end_stream;
  setHeld(side, side.stopped && !reply_asked_in_call_ && !hears_body);
  return action;
}

BodyAction StreamContext::body(Side& side, Callback callback, base::BufferChain& bytes, bool end_stream) {
  if (passing_) return BodyAction::Continue;
  std::optional<uint32_t> result = 0;
  reply_asked_in_call_ = false;
  if (vm_.failed()) {
    result = std::nullopt;
  } else if (vm_.has(callback)) {
    if (side.buffering) {
      keepBody(side, bytes);
      if (destroyed_ || handle_->gone()) return BodyAction::StopNoBuffer;  // Over the limit: it was answered.
    }
    side.body = side.buffering ? keptBody(side) : &bytes;
    side.ended = end_stream;
    const size_t size = side.body != nullptr ? side.body->size() : 0;
    result = call(callback, static_cast<uint32_t>(size), end_stream ? 1 : 0, 3);
    side.body = nullptr;
  }
  if (destroyed_) return BodyAction::StopNoBuffer;
  if (!result) return goesOnWithout() ? BodyAction::Continue : BodyAction::StopNoBuffer;

  const BodyAction action = reply_asked_in_call_ ? BodyAction::StopNoBuffer : bodyAction(*result);
  side.buffering = action == BodyAction::StopAndBuffer;
  side.stopped = action != BodyAction::Continue;
  setHeld(side, side.stopped && !reply_asked_in_call_ && end_stream);
  return action;
}

TrailersAction StreamContext::trailers(Side& side, Callback callback, http::HeaderMap& map) {
  if (passing_) return TrailersAction::Continue;
  std::optional<uint32_t> result = 0;
  side.trailers = &map;
  reply_asked_in_call_ = false;
  if (vm_.failed()) {
    result = std::nullopt;
  } else if (vm_.has(callback)) {
    result = call(callback, static_cast<uint32_t>(map.size()), 0, 2);
  }
  if (destroyed_) return TrailersAction::Stop;
  if (!result) return goesOnWithout() ? TrailersAction::Continue : TrailersAction::Stop;

  if (*result > 1) vm_.code().unknown_actions.add();
  side.stopped = reply_asked_in_call_ || *result == 1;
  if (!side.stopped) side.trailers = nullptr;
  setHeld(side, side.stopped && !reply_asked_in_call_);
  return side.stopped ? TrailersAction::Stop : TrailersAction::Continue;
}

// As Envoy, the guest is told how many fields there are; no map holds them, and what it returns means nothing.
void StreamContext::metadata(Callback callback, const http::Metadata& metadata) {
  if (!created_ || passing_) return;
  reply_asked_in_call_ = false;
  const bool asks = !vm_.failed() && vm_.has(callback);
  if (asks && call(callback, static_cast<uint32_t>(metadata.size()), 0, 2)) return;
  if (!destroyed_ && vm_.failed()) goesOnWithout();
}

// abi.md 2.2: plugins of every SDK pause with 1, which Envoy takes for StopAllAndWatermark unless it is told otherwise.
// A number that means nothing is no wish to wait for ever.
HeadersAction StreamContext::headersAction(uint32_t result) const {
  switch (result) {
    case 0: return HeadersAction::Continue;
    case 1:
      return plugin_->root().spec().allow_on_headers_stop_iteration ? HeadersAction::StopIteration
                                                                    : HeadersAction::StopAllAndWatermark;
    case 2: return HeadersAction::Continue;  // ContinueAndEndStream
    case 3: return HeadersAction::StopAllAndBuffer;
    case 4: return HeadersAction::StopAllAndWatermark;
    default: vm_.code().unknown_actions.add(); return HeadersAction::Continue;
  }
}

BodyAction StreamContext::bodyAction(uint32_t result) const {
  switch (result) {
    case 0: return BodyAction::Continue;
    case 1: return BodyAction::StopAndBuffer;
    case 2: return BodyAction::StopAndWatermark;
    case 3: return BodyAction::StopNoBuffer;
    default: vm_.code().unknown_actions.add(); return BodyAction::Continue;
  }
}

void StreamContext::keepBody(const Side& side, base::BufferChain& bytes) {
  &side == &request_ ? handle_->addToRequestBuffer(bytes) : handle_->addToResponseBuffer(bytes);
}

base::BufferChain* StreamContext::keptBody(const Side& side) {
  return &side == &request_ ? handle_->requestBuffer() : handle_->responseBuffer();
}

}  // namespace weir::proxy_wasm
