#include "proxy_wasm/context.h"

#include "proxy_wasm/root_context.h"
#include "proxy_wasm/vm.h"

namespace weir::proxy_wasm {

Context::Context(Vm& vm) : vm_(vm), id_(vm.enroll(*this)) {}
Context::Context(Vm& vm, OfVm) : vm_(vm) {}

Context::~Context() { leave(); }

void Context::leave() {
  if (id_ != 0) vm_.strike(*this);
  id_ = 0;
}

void Context::noteFault() { noteFault(vm_.fault()); }

void Context::noteFault(std::string_view what) {
  filter::StreamInfo* const info = ownInfo();
  if (info == nullptr || what.empty()) return;
  std::string& fault = info->plugins.of(root()->spec().name).fault;
  if (fault.empty()) fault = what;
}

// What comes of a callout is readable for every context of the plugin, within the callback that brings it.
const http::HeaderMap* Context::readableMap(HeaderMapType type) {
  RootContext* const plugin = root();
  if (plugin == nullptr) return nullptr;
  if (type == HeaderMapType::GrpcReceiveInitialMetadata) return plugin->grpc().initialMetadata();
  if (type == HeaderMapType::GrpcReceiveTrailingMetadata) return plugin->grpc().trailingMetadata();
  if (plugin->callResponse() == nullptr) return nullptr;
  if (type == HeaderMapType::HttpCallResponseHeaders) return &plugin->callResponse()->headers;
  const http::HeaderMap& trailers = plugin->callResponse()->trailers;
  return type == HeaderMapType::HttpCallResponseTrailers && !trailers.empty() ? &trailers : nullptr;
}

http::HeaderMap* Context::writableMap(HeaderMapType) { return nullptr; }

std::optional<BufferView> Context::buffer(BufferType type) {
  RootContext* const plugin = root();
  switch (type) {
    case BufferType::HttpCallResponseBody:
      if (plugin == nullptr || plugin->callResponse() == nullptr) return std::nullopt;
      return BufferView{&plugin->callResponse()->body, {}, false};
    case BufferType::GrpcReceiveBuffer:
      if (plugin == nullptr || plugin->grpc().message() == nullptr) return BufferView{};
      return BufferView{plugin->grpc().message(), {}, true};
    case BufferType::RedisCallResponse:
      if (plugin == nullptr || plugin->redis().answer() == nullptr) return BufferView{};
      return BufferView{plugin->redis().answer(), {}, false};
    case BufferType::CallData:
      if (plugin == nullptr || plugin->names().answer() == nullptr) return BufferView{};
      return BufferView{nullptr, *plugin->names().answer(), false};
    case BufferType::VmConfiguration: return BufferView{nullptr, vm_.code().spec.configuration, false};
    case BufferType::PluginConfiguration:
      if (plugin == nullptr || plugin->shownConfiguration() == nullptr) return std::nullopt;
      return BufferView{nullptr, *plugin->shownConfiguration(), false};
    default: return BufferView{};  // Everything else outside its phase: empty, as in Envoy.
  }
}

}  // namespace weir::proxy_wasm
