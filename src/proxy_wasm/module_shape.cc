#include "proxy_wasm/module_shape.h"

#include <fmt/core.h>

#include <algorithm>

namespace weir::proxy_wasm {
namespace {

struct CallbackForm {
  std::string_view name;
  uint8_t params;
  bool has_result;
};

// In the order of Callback. The header callbacks may have one parameter less.
constexpr std::array<CallbackForm, kCallbacks> kForms = {{
    {"proxy_on_context_create", 2, false},
    {"proxy_on_vm_start", 2, true},
    {"proxy_on_configure", 2, true},
    {"proxy_on_tick", 1, false},
    {"proxy_on_request_headers", 3, true},
    {"proxy_on_request_body", 3, true},
    {"proxy_on_request_trailers", 2, true},
    {"proxy_on_request_metadata", 2, true},
    {"proxy_on_response_headers", 3, true},
    {"proxy_on_response_body", 3, true},
    {"proxy_on_response_trailers", 2, true},
    {"proxy_on_response_metadata", 2, true},
    {"proxy_on_http_call_response", 5, false},
    {"proxy_on_queue_ready", 2, false},
    {"envoy_on_stats_update", 2, false},
    {"proxy_on_new_connection", 1, true},
    {"proxy_on_downstream_data", 3, true},
    {"proxy_on_upstream_data", 3, true},
    {"proxy_on_downstream_connection_close", 2, false},
    {"proxy_on_upstream_connection_close", 2, false},
    {"proxy_on_grpc_receive_initial_metadata", 3, false},
    {"proxy_on_grpc_receive", 3, false},
    {"proxy_on_grpc_receive_trailing_metadata", 3, false},
    {"proxy_on_grpc_close", 3, false},
    {"envoy_on_resolve_dns", 3, false},
    {"proxy_on_redis_call_response", 4, false},
    {"proxy_on_foreign_function", 3, false},
    {"proxy_on_done", 1, true},
    {"proxy_on_log", 1, false},
    {"proxy_on_delete", 1, false},
}};

const CallbackForm& formOf(Callback callback) { return kForms[static_cast<size_t>(callback)]; }

wasm::FunctionType i32Type(size_t params, bool has_result) {
  return {std::vector(params, wasm::ValueType::I32), std::vector(has_result ? 1 : 0, wasm::ValueType::I32)};
}

base::Error refused(std::string detail) {
  return {base::Code::InvalidArgument, base::Side::Operator, base::Retry::No, std::move(detail)};
}

base::Result<void> checkType(const wasm::Module::Export& function, const wasm::FunctionType& wanted) {
  if (function.type == wanted) return base::Ok{};
  return refused(fmt::format("Bad function signature for: {}, want: {}, but the module exports: {}", function.name,
                             wasm::toString(wanted), wasm::toString(function.type)));
}

bool isHeaderCallback(Callback callback) {
  return callback == Callback::RequestHeaders || callback == Callback::ResponseHeaders;
}

base::Result<void> examineCallbacks(const wasm::Module& module, const std::optional<std::vector<std::string>>& allowed,
                                    ModuleShape& shape) {
  for (size_t i = 0; i < kCallbacks; ++i) {
    const auto callback = static_cast<Callback>(i);
    const wasm::Module::Export* function = module.findFunction(name(callback));
    if (function == nullptr) continue;
    if (allowed && std::find(allowed->begin(), allowed->end(), name(callback)) == allowed->end()) continue;
    if (isHeaderCallback(callback)) {
      const bool takes_end = function->type.params.size() != 2;
      (callback == Callback::RequestHeaders ? shape.request_headers_take_end : shape.response_headers_take_end) =
          takes_end;
    }
    if (auto fits = checkType(*function, typeOf(callback, shape)); !fits.ok()) return fits;
    shape.callbacks |= 1u << i;
    shape.exported[i] = module.find(name(callback), typeOf(callback, shape));
  }
  return base::Ok{};
}

base::Result<void> examineAllocator(const wasm::Module& module, ModuleShape& shape) {
  // The specification's name first: TinyGo exports a leaking malloc beside it (abi.md 1.3).
  for (const std::string_view allocator : {"proxy_on_memory_allocate", "malloc"}) {
    const wasm::Module::Export* function = module.findFunction(allocator);
    if (function == nullptr) continue;
    shape.allocator = module.find(allocator, i32Type(1, true));
    return checkType(*function, i32Type(1, true));
  }
  return refused("Wasm module is missing malloc function.");
}

base::Result<void> examineStart(const wasm::Module& module, ModuleShape& shape) {
  const auto present = [&](std::string_view name, size_t params, bool has_result) -> base::Result<bool> {
    const wasm::Module::Export* function = module.findFunction(name);
    if (function == nullptr) return false;
    if (auto fits = checkType(*function, i32Type(params, has_result)); !fits.ok()) return std::move(fits).error();
    return true;
  };
  auto initialize = present("_initialize", 0, false);
  if (!initialize.ok()) return std::move(initialize).error();
  if (!*initialize) {
    auto start = present("_start", 0, false);
    if (!start.ok()) return std::move(start).error();
    if (*start) shape.start = "_start";
    return base::Ok{};
  }
  shape.start = "_initialize";
  auto main = present("main", 2, true);
  if (!main.ok()) return std::move(main).error();
  if (*main) {
    shape.main = "main";
    return base::Ok{};
  }
  auto main_void = present("__main_void", 0, true);
  if (!main_void.ok()) return std::move(main_void).error();
  if (*main_void) shape.main = "__main_void";
  return base::Ok{};
}

}  // namespace

std::string_view name(Callback callback) { return formOf(callback).name; }

wasm::FunctionType typeOf(Callback callback, const ModuleShape& shape) {
  const CallbackForm& form = formOf(callback);
  size_t params = form.params;
  if (callback == Callback::RequestHeaders && !shape.request_headers_take_end) params = 2;
  if (callback == Callback::ResponseHeaders && !shape.response_headers_take_end) params = 2;
  return i32Type(params, form.has_result);
}

std::optional<AbiVersion> abiVersion(const wasm::Module& module) {
  for (const wasm::Module::Export& exported : module.exports()) {
    if (!exported.is_function) continue;
    if (exported.name == "proxy_abi_version_0_1_0") return AbiVersion::V0_1_0;
    if (exported.name == "proxy_abi_version_0_2_0") return AbiVersion::V0_2_0;
    if (exported.name == "proxy_abi_version_0_2_1") return AbiVersion::V0_2_1;
    if (exported.name == "proxy_abi_version_0_2_100")
      return AbiVersion::V0_2_1;  // Higress': 0.2.1 and a few calls more.
  }
  return std::nullopt;
}

base::Result<ModuleShape> examine(const wasm::Module& module, const std::optional<std::vector<std::string>>& allowed) {
  const auto version = abiVersion(module);
  if (!version) return refused("Missing or unknown Proxy-Wasm ABI version");
  ModuleShape shape;
  shape.version = *version;
  if (auto read = examineAllocator(module, shape); !read.ok()) return std::move(read).error();
  if (auto read = examineStart(module, shape); !read.ok()) return std::move(read).error();
  if (auto read = examineCallbacks(module, allowed, shape); !read.ok()) return std::move(read).error();
  return shape;
}

}  // namespace weir::proxy_wasm
