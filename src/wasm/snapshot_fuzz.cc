// Any bytes either have a snapshot that is a module like them, or an error with words; nothing else happens.
#include <cstdint>
#include <cstdlib>

#include "wasm/snapshot.h"

namespace weir::wasm {
namespace {

Engine& engine() {
  static const auto engine = std::move(Engine::create({.max_module_bytes = 64 * 1024}).value());
  return *engine;
}

void trySnapshot(std::span<const std::byte> bytes) {
  const auto ready = instrumented(engine(), bytes);
  if (!ready.ok()) {
    if (ready.error().detail.empty()) std::abort();
    return;
  }
  const auto module = engine().compile(*ready);
  if (!module.ok()) std::abort();  // It was one that the engine takes.
  const InstanceLimits limits{.memory_bytes = 1024 * 1024, .table_elements = 1000};
  const auto instance = Instance::create(engine(), *module, {}, limits, std::chrono::milliseconds(10));
  if (!instance.ok()) return;
  const auto taken = snapshotOf(bytes, **instance);
  if (taken.ok() && !engine().compile(*taken, Native::Ignored, Form::Snapshot).ok()) std::abort();
}

}  // namespace
}  // namespace weir::wasm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  weir::wasm::trySnapshot(std::as_bytes(std::span(data, size)));
  return 0;
}
