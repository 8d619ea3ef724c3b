// The table of everything that a guest may import, and the linking of one module against it. Every ABI version's
// functions are there for every module (abi.md 1.5).
#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>

#include "proxy_wasm/host_functions.h"

namespace weir::proxy_wasm {
namespace {

constexpr std::string_view kWasiModules[] = {"wasi_snapshot_preview1", "wasi_unstable"};

struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
using Table = std::unordered_map<std::string, HostFunctionEntry, StringHash, std::equal_to<>>;

const Table& table() {
  static const Table kTable = [] {
    Table made;
    for (const auto group : {headerFunctions, bufferFunctions, streamFunctions, propertyFunctions, sharedDataFunctions,
                             sharedQueueFunctions, metricFunctions, callFunctions, grpcFunctions, foreignFunctions,
                             dnsFunctions, redisFunctions, upstreamFunctions, generalFunctions}) {
      for (HostFunctionEntry& entry : group()) made.emplace(entry.name, std::move(entry));
    }
    for (const auto group : {wasiFunctions, wasiFileFunctions}) {
      for (const HostFunctionEntry& entry : group()) {
        for (const std::string_view module : kWasiModules) {
          made.emplace(fmt::format("{}.{}", module, entry.plainName()), entry);
        }
      }
    }
    return made;
  }();
  return kTable;
}

// What stands in for a function that the configuration does not grant. Lives as long as the process: there is one per
// function at most.
struct Refusal {
  std::string text;
  int32_t status;  // 10 InternalFailure, or WASI's 76 ENOTCAPABLE.
};

const Refusal& refusalFor(std::string_view name) {
  static const std::unordered_map<std::string, Refusal, StringHash, std::equal_to<>> kRefusals = [] {
    std::unordered_map<std::string, Refusal, StringHash, std::equal_to<>> made;
    for (const auto& [full_name, entry] : table()) {
      const bool wasi = !full_name.starts_with("env.");
      made.emplace(full_name, Refusal{fmt::format("Attempted call to restricted {} capability: {}",
                                                  wasi ? "WASI" : "proxy-wasm", entry.plainName()),
                                      wasi ? 76 : 10});
    }
    return made;
  }();
  return kRefusals.find(name)->second;
}

bool refuse(void* context, wasm::Instance&, wasm::RawValue* slots) {
  const auto& refusal = *static_cast<const Refusal*>(context);
  LOG(Wasm, Error, "{}", refusal.text);
  slots[0].i32 = refusal.status;
  return true;
}

// What stands in for a function that nobody has: many modules import one that they never call.
bool lacking(void* context, wasm::Instance& guest, wasm::RawValue*) {
  guest.setTrapMessage("called a missing import: " + *static_cast<const std::string*>(context));
  return false;
}

bool canBeCalled(const wasm::FunctionType& type) {
  const auto known = [](wasm::ValueType value) { return value != wasm::ValueType::Other; };
  return std::all_of(type.params.begin(), type.params.end(), known) &&
         std::all_of(type.results.begin(), type.results.end(), known);
}

bool granted(std::string_view name, const std::optional<std::vector<std::string>>& allowed) {
  if (!allowed || name == "pthread_equal" || name == "abort" || name.starts_with("emscripten_")) return true;
  return std::find(allowed->begin(), allowed->end(), name) != allowed->end();
}

}  // namespace

namespace host_function_detail {

bool restricted(wasm::Instance& guest) {
  guest.setTrapMessage("restricted_callback");
  return false;
}

}  // namespace host_function_detail

std::vector<HostFunctionEntry> allHostFunctions() {
  std::vector<HostFunctionEntry> all;
  for (const auto& [name, entry] : table()) {
    if (name == entry.name) all.push_back(entry);
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return all;
}

base::Result<ResolvedImports> resolveImports(const wasm::Module& module,
                                             const std::optional<std::vector<std::string>>& allowed) {
  ResolvedImports imports;
  std::string missing;
  std::string mistyped;
  for (const wasm::Module::Import& import : module.imports()) {
    std::string name = fmt::format("{}.{}", import.module, import.name);
    const auto found = import.is_function ? table().find(name) : table().end();
    if (found == table().end() && !(import.is_function && canBeCalled(import.type))) {
      missing += (missing.empty() ? "" : ", ") + name;
      continue;
    }
    if (found == table().end()) {
      imports.lacking.push_back(std::make_unique<const std::string>(std::move(name)));
      imports.functions.push_back(
          {import.module, import.name, import.type, lacking, const_cast<std::string*>(imports.lacking.back().get())});
      continue;
    }
    const HostFunctionEntry& entry = found->second;
    if (entry.type != import.type) {
      mistyped += fmt::format("{}{}, want: {}, but host exports: {}", mistyped.empty() ? "" : "; ", name,
                              wasm::toString(import.type), wasm::toString(entry.type));
      continue;
    }
    const bool may = granted(import.name, allowed);
    imports.functions.push_back({import.module, import.name, entry.type, may ? entry.function : refuse,
                                 may ? nullptr : const_cast<Refusal*>(&refusalFor(name))});
  }
  const auto refused = [](std::string detail) {
    return base::Error{base::Code::InvalidArgument, base::Side::Operator, base::Retry::No, std::move(detail)};
  };
  if (!missing.empty()) return refused("Failed to load Wasm module due to a missing import: " + missing);
  if (!mistyped.empty()) return refused("Failed to load Wasm module due to an import type mismatch: " + mistyped);
  return imports;
}

}  // namespace weir::proxy_wasm
