#include "proxy_wasm/grpc_calls.h"

#include <algorithm>
#include <array>
#include <functional>

#include "base/base64.h"
#include "base/log.h"
#include "http/name_set.h"
#include "proxy_wasm/grpc_target.h"
#include "proxy_wasm/header_edit.h"
#include "proxy_wasm/root_context.h"
#include "proxy_wasm/vm.h"

namespace weir::proxy_wasm {
namespace {

using Kind = GrpcCallout::Event::Kind;

// What kind of call a token is of, as Envoy numbers them (abi.md 2.9).
bool isCall(uint32_t token) { return (token & 3) == 1; }
bool isStream(uint32_t token) { return (token & 3) == 2; }

Callback callbackFor(Kind kind) {
  switch (kind) {
    case Kind::InitialMetadata: return Callback::GrpcReceiveInitialMetadata;
    case Kind::Message: return Callback::GrpcReceive;
    case Kind::TrailingMetadata: return Callback::GrpcReceiveTrailingMetadata;
    case Kind::Close: return Callback::GrpcClose;
  }
  return Callback::GrpcClose;
}

// gRPC: values of names in -bin are any bytes, and are sent in base64. False: it can stand in no head.
bool addMetadata(http::HeaderMap& headers, std::string_view name, std::string_view value) {
  if (!usableName(name)) return false;
  const std::string_view kept = nameIn(HeaderMapType::RequestHeaders, name);
  const bool binary = name.size() > 4 && http::equalsIgnoreCase(name.substr(name.size() - 4), "-bin");
  if (!binary && !usableValue(value)) return false;
  addHeader(headers, kept, binary ? base::toBase64(value) : std::string(value));
  return true;
}

// nullopt: something in it can stand in no head.
std::optional<http::HeaderMap> headersFor(const GrpcTarget& target, const GrpcCalls::Request& request) {
  const std::string_view authority = target.authority.empty() ? target.cluster : target.authority;
  for (const std::string_view text : {authority, request.service, request.method}) {
    if (!usableValue(text)) return std::nullopt;
  }
  const auto timeout = request.message ? std::optional(request.timeout) : std::nullopt;
  http::HeaderMap headers = upstream::grpcHeaders(authority, request.service, request.method, timeout);
  for (const PairViews& metadata : {std::cref(target.metadata), std::cref(request.metadata)}) {
    for (const auto& [name, value] : metadata) {
      if (!addMetadata(headers, name, value)) return std::nullopt;
    }
  }
  return headers;
}

upstream::GrpcOptions optionsFor(const GrpcTarget& target, base::Duration timeout) {
  const uint32_t limit = target.max_message == 0 ? GrpcCalls::kMaxMessage : target.max_message;
  return {timeout, std::min(limit, GrpcCalls::kMaxMessage), !target.skip_envoy_headers};
}

}  // namespace

GrpcCalls::~GrpcCalls() = default;

AbiStatus GrpcCalls::begin(const GrpcTarget& target, const Request& request, uint32_t& token) {
  Vm& vm = root_.vm();
  ClusterAccess& clusters = vm.environment().clusters;
  if (!target.unsupported.empty()) {
    if (root_.warnOnce()) {
      LOG(Wasm, Warning, "plugin {}: a GrpcService with {} is not supported", root_.spec().name, target.unsupported);
    }
    return AbiStatus::BadArgument;
  }
  const bool known = clusters.knows(target.cluster);
  if (!known && target.by_name) return AbiStatus::ParseFailure;
  token = request.message ? vm.nextGrpcCallToken() : vm.nextGrpcStreamToken();
  auto headers = headersFor(target, request);
  if (!headers) return AbiStatus::BadArgument;
  if (!known) return AbiStatus::InternalFailure;
  if (!root_.admitGrpc()) return AbiStatus::InternalFailure;

  const auto kind = request.message ? GrpcCallout::Kind::Unary : GrpcCallout::Kind::Stream;
  auto callout = std::make_unique<GrpcCallout>(*this, token, kind);
  upstream::Cluster* const cluster = clusters.find(target.cluster);
  event::Loop* const loop = vm.environment().loop;
  if (cluster != nullptr && loop != nullptr) {
    const bool began =
        callout->begin(*cluster, *loop, optionsFor(target, request.timeout), std::move(*headers), request.message);
    if (!began) {
      discard(std::move(callout));
      return AbiStatus::InternalFailure;
    }
  }
  calls_.emplace(token, std::move(callout));
  root_.recount();
  return AbiStatus::Ok;
}

AbiStatus GrpcCalls::send(uint32_t token, std::string_view message, bool end) {
  if (!isStream(token)) return AbiStatus::BadArgument;
  const auto found = calls_.find(token);
  if (found == calls_.end()) return AbiStatus::NotFound;
  return found->second->send(message, end) ? AbiStatus::Ok : AbiStatus::InternalFailure;
}

AbiStatus GrpcCalls::close(uint32_t token) {
  if (!isStream(token)) return cancel(token);
  const auto found = calls_.find(token);
  if (found == calls_.end()) return AbiStatus::NotFound;
  if (found->second->over()) return cancel(token);  // Both directions have ended: it is gone, as in Envoy.
  found->second->end();
  return AbiStatus::Ok;
}

AbiStatus GrpcCalls::cancel(uint32_t token) {
  if (!isCall(token) && !isStream(token)) return AbiStatus::BadArgument;
  auto callout = take(token);
  if (callout == nullptr) return AbiStatus::NotFound;
  discard(std::move(callout));
  return AbiStatus::Ok;
}

void GrpcCalls::cancelAll() {
  auto calls = std::exchange(calls_, {});
  for (auto& [token, callout] : calls) discard(std::move(callout));
}

std::unique_ptr<GrpcCallout> GrpcCalls::take(uint32_t token) {
  auto found = calls_.extract(token);
  return found.empty() ? nullptr : std::move(found.mapped());
}

// It may stand in its own call: it goes at the end of the turn.
void GrpcCalls::discard(std::unique_ptr<GrpcCallout> callout) {
  callout->cancel();
  event::Loop* const loop = root_.vm().environment().loop;
  if (loop != nullptr) loop->destroyLater(std::move(callout));
}

void GrpcCalls::onCame(GrpcCallout& callout) {
  Vm& vm = root_.vm();
  if (!vm.running()) return deliver(callout.token());
  if (callout.events().size() == 1) vm.defer({Vm::Action::Kind::GrpcCame, &root_, callout.token()});
}

// The guest may end the call, and the VM, in each of them.
void GrpcCalls::deliver(uint32_t token) {
  for (;;) {
    const auto found = calls_.find(token);
    if (found == calls_.end() || found->second->events().empty()) return;
    std::deque<GrpcCallout::Event>& events = found->second->events();
    GrpcCallout::Event event = std::move(events.front());
    events.pop_front();
    const bool last = event.kind == Kind::Close || isCall(token);
    tell(token, event);
    if (!last) continue;
    if (auto over = take(token)) discard(std::move(over));
    return root_.answered();
  }
}

bool GrpcCalls::waits() const {
  return std::any_of(calls_.begin(), calls_.end(), [](const auto& call) { return isCall(call.first); });
}

void GrpcCalls::tell(uint32_t token, GrpcCallout::Event& event) {
  Vm& vm = root_.vm();
  const Callback callback = callbackFor(event.kind);
  const bool close = event.kind == Kind::Close;
  if (close) root_.setStatus(static_cast<uint32_t>(event.status), event.text);
  if (!vm.failed() && vm.has(callback)) {
    initial_metadata_ = event.kind == Kind::InitialMetadata ? &event.metadata : nullptr;
    trailing_metadata_ = event.kind == Kind::TrailingMetadata ? &event.metadata : nullptr;
    message_ = event.kind == Kind::Message ? &event.message : nullptr;
    const size_t size = event.kind == Kind::Message ? event.message.size() : event.metadata.size();
    const uint32_t detail = close ? static_cast<uint32_t>(event.status) : static_cast<uint32_t>(size);
    const std::array<uint32_t, 3> arguments{root_.id(), token, detail};
    vm.call(callback, root_, arguments, vm.callbackLimit());
  }
  initial_metadata_ = trailing_metadata_ = nullptr;
  message_ = nullptr;
  root_.clearStatusMessage();
}

}  // namespace weir::proxy_wasm
