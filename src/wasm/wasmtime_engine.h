// Engine on Wasmtime.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "wasm/compile_aside.h"
#include "wasm/compiled_module.h"
#include "wasm/engine.h"
#include "wasm/handles.h"
#include "wasm/instance_pool.h"
#include "wasm/module_cache.h"
#include "wasm/signing.h"
#include "wasm/ticker.h"

namespace weir::wasm {

class WasmtimeEngine final : public Engine {
 public:
  // cache: where compiled modules are kept, if they are.
  // native_key: by which modules' native code is signed, if any may be used.
  // aside: in what processes modules are compiled, if not in this one.
  WasmtimeEngine(EngineHandle handle, const EngineSettings& settings, std::optional<ModuleCache> cache,
                 std::optional<PublicKey> native_key, CompileAside aside);

  base::Result<std::shared_ptr<const Module>> compile(std::span<const std::byte> bytes, Native native,
                                                      Form form) override;
  base::Result<void> validate(std::span<const std::byte> bytes) override;
  base::Result<std::vector<std::byte>> makeNative(std::span<const std::byte> bytes) override;
  std::string_view nativeName() const override;
  EngineStats stats() const override;

  Ticker& ticker() { return ticker_; }

 private:
  base::Result<ModuleHandle> load(std::span<const std::byte> bytes, const std::string& digest);
  base::Result<ModuleHandle> make(std::span<const std::byte> bytes);
  ModuleHandle fromNative(std::span<const std::byte> bytes);
  base::Result<ModuleHandle> translate(std::span<const std::byte> bytes);
  ModuleHandle fromCache(const std::string& name);
  void keep(const std::string& name, const wasmtime_module_t& module);
  std::shared_ptr<const CompiledModule> inUse(const std::string& digest);
  void remember(const std::shared_ptr<const CompiledModule>& module);

  void usePool(CompiledModule& module);
  InstancePool* pool();
  void tick();

  const EngineSettings settings_;
  EngineHandle handle_;
  const std::optional<ModuleCache> cache_;
  const std::optional<PublicKey> native_key_;
  const CompileAside aside_;
  // Made with the first snapshot: it takes a piece of the address space.
  std::once_flag pool_made_;
  std::unique_ptr<InstancePool> pool_;
  std::atomic<InstancePool*> ticking_pool_{nullptr};
  Ticker ticker_;
  std::atomic<uint64_t> compiled_{0};
  std::atomic<uint64_t> cache_hits_{0};
  std::atomic<uint64_t> cache_rejected_{0};
  std::atomic<uint64_t> native_{0};
  std::atomic<uint64_t> native_refused_{0};

  std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<const CompiledModule>> in_use_;  // By digest.
};

}  // namespace weir::wasm
