// Any bytes are either a module whose imports and exports can be read, or an error with words; nothing else happens.
#include <cstdint>
#include <cstdlib>

#include "wasm/engine.h"
#include "wasm/instance.h"

namespace weir::wasm {
namespace {

Engine& engine() {
  static const auto engine = std::move(Engine::create({.max_module_bytes = 64 * 1024}).value());
  return *engine;
}

void tryModule(std::span<const std::byte> bytes) {
  const auto module = engine().compile(bytes);
  if (!module.ok()) {
    if (module.error().detail.empty()) std::abort();
    return;
  }
  const InstanceLimits limits{.memory_bytes = 1024 * 1024, .table_elements = 1000};
  auto instance = Instance::create(engine(), *module, {}, limits, std::chrono::milliseconds(10));
  if (!instance.ok()) return;
  for (const Module::Export& one : (*module)->exports()) {
    if (!one.is_function || one.type != FunctionType{}) continue;
    (void)(*instance)->call((*instance)->function(one.name, one.type), {}, std::chrono::milliseconds(10));
  }
  (void)(*instance)->view(0xffffff00, 0xff);
}

}  // namespace
}  // namespace weir::wasm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  weir::wasm::tryModule(std::as_bytes(std::span(data, size)));
  return 0;
}
