// What a module looks like from the host's side: its ABI version, which callbacks it has, how it is started and how it
// gives memory. Read once per module; a module that cannot be a plugin is refused here.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "proxy_wasm/abi.h"
#include "wasm/engine.h"

namespace weir::proxy_wasm {

enum class Callback : uint8_t {
  ContextCreate,
  VmStart,
  Configure,
  Tick,
  RequestHeaders,
  RequestBody,
  RequestTrailers,
  RequestMetadata,
  ResponseHeaders,
  ResponseBody,
  ResponseTrailers,
  ResponseMetadata,
  HttpCallResponse,
  QueueReady,
  StatsUpdate,
  NewConnection,
  DownstreamData,
  UpstreamData,
  DownstreamConnectionClose,
  UpstreamConnectionClose,
  GrpcReceiveInitialMetadata,
  GrpcReceive,
  GrpcReceiveTrailingMetadata,
  GrpcClose,
  ResolveDns,
  RedisCallResponse,
  ForeignFunction,  // Of a type that is checked, and never called: neither does Envoy.
  Done,
  Log,
  Delete,
  kCount,
};
inline constexpr size_t kCallbacks = static_cast<size_t>(Callback::kCount);
std::string_view name(Callback callback);  // "proxy_on_request_headers"

struct ModuleShape {
  AbiVersion version = AbiVersion::V0_2_1;
  uint32_t callbacks = 0;                                     // A bit per Callback that the module exports and may use.
  std::array<wasm::ExportedFunction, kCallbacks> exported{};  // Of those, where each is.
  // Whether the header callbacks take end_of_stream: read from the export itself, because modules of 2020 carry the
  // marker 0.1.0 with either form (abi.md 1.1).
  bool request_headers_take_end = true;
  bool response_headers_take_end = true;
  // proxy_on_memory_allocate where there is one, else malloc.
  wasm::ExportedFunction allocator;
  // What to call first: _initialize and then main or __main_void, or _start. Empty: nothing.
  std::string_view start;
  std::string_view main;

  bool has(Callback callback) const { return (callbacks >> static_cast<unsigned>(callback) & 1) != 0; }
};

// The type with which a callback is exported.
wasm::FunctionType typeOf(Callback callback, const ModuleShape& shape);

// The version by the module's first marker (proxy_abi_version_0_2_1 and so on) in the order of its exports. Higress'
// 0_2_100 is 0.2.1.
std::optional<AbiVersion> abiVersion(const wasm::Module& module);

// allowed: the capabilities the configuration grants; nullopt: all. A callback that is not granted counts as absent.
// Error (side Operator) in Envoy's words: unknown version, no allocator, a callback of another type.
base::Result<ModuleShape> examine(const wasm::Module& module, const std::optional<std::vector<std::string>>& allowed);

}  // namespace weir::proxy_wasm
