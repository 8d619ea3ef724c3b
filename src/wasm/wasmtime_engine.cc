#include "wasm/wasmtime_engine.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "wasm/digest.h"
#include "wasm/failure.h"
#include "wasm/fault_place.h"
#include "wasm/native_code.h"

namespace weir::wasm {
namespace {

// Whatever changes the code that is made must change the names in the cache. What the processor can do is checked by
// Wasmtime itself when it takes a module in.
constexpr std::string_view kCodeVersion = "weir-1 wasmtime-" WASMTIME_VERSION " speed epochs reservation-4g guard-32m";

ConfigHandle configOf(const EngineSettings& settings) {
  ConfigHandle config(wasm_config_new());
  wasm_config_t* c = config.get();
  wasmtime_config_strategy_set(c, WASMTIME_STRATEGY_CRANELIFT);
  wasmtime_config_cranelift_opt_level_set(c, WASMTIME_OPT_LEVEL_SPEED);
  wasmtime_config_parallel_compilation_set(c, true);
  wasmtime_config_native_unwind_info_set(c, false);
  wasmtime_config_epoch_interruption_set(c, true);
  wasmtime_config_max_wasm_stack_set(c, settings.max_stack_bytes);

  // The whole of a 32-bit address space is reserved with a guard behind it: no bounds checks in the code, and a memory
  // that never moves.
  wasmtime_config_signals_based_traps_set(c, true);
  wasmtime_config_memory_reservation_set(c, 4ull << 30);
  wasmtime_config_memory_guard_size_set(c, 32ull << 20);
  wasmtime_config_memory_may_move_set(c, false);
  wasmtime_config_memory_init_cow_set(c, true);

  // What compilers emit today. Reference types come with Wasmtime's defaults (their switch is not in this build, nor
  // are threads, garbage collection, exceptions and components); what no plugin needs is off.
  wasmtime_config_wasm_simd_set(c, true);
  wasmtime_config_wasm_bulk_memory_set(c, true);
  wasmtime_config_wasm_multi_value_set(c, true);
  wasmtime_config_wasm_memory64_set(c, false);
  wasmtime_config_wasm_multi_memory_set(c, false);
  return config;
}

base::Error badModule(base::Code code, std::string detail) {
  return {code, base::Side::Operator, base::Retry::No, "Failed to load Wasm module: " + std::move(detail)};
}

}  // namespace

base::Result<std::unique_ptr<Engine>> Engine::create(const EngineSettings& settings) {
  return createEngine(settings, {});
}

base::Result<std::unique_ptr<Engine>> createEngine(const EngineSettings& settings, CompileAside aside) {
  EngineHandle handle(wasm_engine_new_with_config(configOf(settings).release()));
  if (handle == nullptr) {
    return base::Error{base::Code::Internal, base::Side::Self, base::Retry::No, "the Wasm engine does not start"};
  }
  std::optional<ModuleCache> cache;
  if (!settings.cache_directory.empty()) {
    auto opened = ModuleCache::open(settings.cache_directory, ModuleCache::Limits());
    if (opened.ok()) {
      cache.emplace(std::move(*opened));
    } else {
      LOG(Wasm, Warning, "compiled modules are not kept: {}", opened.error().detail);
    }
  }
  std::optional<PublicKey> native_key;
  if (!settings.native_key.empty()) {
    auto key = PublicKey::read(settings.native_key);
    if (!key.ok()) return std::move(key).error().in("the key of native code");
    native_key = *std::move(key);
  }
  return std::unique_ptr<Engine>(std::make_unique<WasmtimeEngine>(std::move(handle), settings, std::move(cache),
                                                                  std::move(native_key), std::move(aside)));
}

WasmtimeEngine::WasmtimeEngine(EngineHandle handle, const EngineSettings& settings, std::optional<ModuleCache> cache,
                               std::optional<PublicKey> native_key, CompileAside aside)
    : settings_(settings),
      handle_(std::move(handle)),
      cache_(std::move(cache)),
      native_key_(std::move(native_key)),
      aside_(std::move(aside)),
      ticker_(settings.tick, [this] { tick(); }) {}

void WasmtimeEngine::tick() {
  wasmtime_engine_increment_epoch(handle_.get());
  InstancePool* const pool = ticking_pool_.load(std::memory_order_acquire);
  if (pool != nullptr) wasmtime_engine_increment_epoch(pool->engine());
}

base::Result<std::shared_ptr<const Module>> WasmtimeEngine::compile(std::span<const std::byte> bytes, Native native,
                                                                    Form form) {
  if (bytes.size() > settings_.max_module_bytes) {
    return badModule(base::Code::TooLarge,
                     fmt::format("{} bytes are above the limit of {} bytes", bytes.size(), settings_.max_module_bytes));
  }
  std::string digest = hex(sha256(bytes));
  if (auto module = inUse(digest)) return std::shared_ptr<const Module>(std::move(module));
  ModuleHandle handle = native == Native::Allowed ? fromNative(bytes) : nullptr;
  if (handle == nullptr) {
    auto loaded = form == Form::AsGiven ? load(bytes, digest) : translate(bytes);
    if (!loaded.ok()) return std::move(loaded).error();
    handle = *std::move(loaded);
  }
  auto module =
      std::make_shared<CompiledModule>(*handle_, std::move(handle), std::move(digest), SourceLines::read(bytes));
  if (form == Form::Snapshot) usePool(*module);
  remember(module);
  return std::shared_ptr<const Module>(std::move(module));
}

// Without a place in the pool its instances cost more, and work as well.
void WasmtimeEngine::usePool(CompiledModule& module) {
  InstancePool* const places = pool();
  if (places == nullptr) return;
  OwnedBytes code;
  ErrorHandle error(wasmtime_module_serialize(module.code().module.get(), code.out()));
  wasmtime_module_t* copy = nullptr;
  if (!error) {
    error.reset(wasmtime_module_deserialize(places->engine(), reinterpret_cast<const uint8_t*>(code.begin()),
                                            code.size(), &copy));
  }
  if (!error) return module.usePool(*places, ModuleHandle(copy));
  LOG(Wasm, Warning, "a plugin's instances have no place in the pool, and are mapped one by one: {}", causeOf(*error));
}

InstancePool* WasmtimeEngine::pool() {
  std::call_once(pool_made_, [this] {
    if (settings_.pooled_instances == 0) return;
    auto made = InstancePool::create(configOf(settings_), settings_.pooled_instances);
    if (made.ok()) {
      pool_ = std::move(*made);
      ticking_pool_.store(pool_.get(), std::memory_order_release);
    } else {
      LOG(Wasm, Warning, "there is no pool for instances of plugins, they are mapped one by one: {}",
          made.error().detail);
    }
  });
  return pool_.get();
}

base::Result<void> WasmtimeEngine::validate(std::span<const std::byte> bytes) {
  const ErrorHandle error(
      wasmtime_module_validate(handle_.get(), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
  if (error) return badModule(base::Code::Malformed, causeOf(*error));
  return base::Ok{};
}

base::Result<std::shared_ptr<const Module>> Engine::compileText(std::string_view wat) {
  auto bytes = bytesOf(wat);
  if (!bytes.ok()) return std::move(bytes).error();
  return compile(*bytes);
}

base::Result<std::vector<std::byte>> Engine::bytesOf(std::string_view wat) {
  OwnedBytes bytes;
  const ErrorHandle error(wasmtime_wat2wasm(wat.data(), wat.size(), bytes.out()));
  if (error) return badModule(base::Code::Malformed, causeOf(*error));
  return copyOf(bytes);
}

base::Result<ModuleHandle> WasmtimeEngine::load(std::span<const std::byte> bytes, const std::string& digest) {
  if (!cache_) return make(bytes);
  const std::string version = hex(sha256(std::as_bytes(std::span(kCodeVersion)))).substr(0, 16);
  const std::string name = digest + "-" + version;
  if (ModuleHandle cached = fromCache(name)) return cached;
  auto made = make(bytes);
  if (made.ok()) keep(name, **made);
  return made;
}

base::Result<ModuleHandle> WasmtimeEngine::make(std::span<const std::byte> bytes) {
  if (aside_.command.empty()) return translate(bytes);
  const auto code = compileAside(aside_.command, bytes, aside_.limits);
  if (!code.ok() && code.error().code == base::Code::Io) {
    LOG(Wasm, Warning, "a module is compiled without limits of time and memory: {}", code.error().detail);
    return translate(bytes);
  }
  if (!code.ok()) return code.error();
  wasmtime_module_t* module = nullptr;
  const ErrorHandle error(wasmtime_module_deserialize(handle_.get(), reinterpret_cast<const uint8_t*>(code->data()),
                                                      code->size(), &module));
  if (error) return badModule(base::Code::Internal, causeOf(*error));
  compiled_.fetch_add(1, std::memory_order_relaxed);
  return ModuleHandle(module);
}

// Null: there is none, or none that may be used.
ModuleHandle WasmtimeEngine::fromNative(std::span<const std::byte> bytes) {
  const auto native = findNativeCode(bytes);
  if (!native) return nullptr;
  const auto refuse = [&](std::string_view why) {
    LOG(Wasm, Warning, "a module's native code is not used: {}; it is compiled as if it had none", why);
    native_refused_.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  };
  // In this order: nothing of it is looked at before the signature holds.
  if (!native_key_) return ModuleHandle(refuse("no key is configured by which it could be signed"));
  if (!isSignedBy(*native, *native_key_)) return ModuleHandle(refuse("it is not signed by the configured key"));
  if (native->engine != kCodeVersion) {
    return ModuleHandle(
        refuse(fmt::format("it is for the engine '{}', and this one is '{}'", native->engine, kCodeVersion)));
  }
  wasmtime_module_t* module = nullptr;
  const ErrorHandle error(wasmtime_module_deserialize(
      handle_.get(), reinterpret_cast<const uint8_t*>(native->code.data()), native->code.size(), &module));
  if (error) return ModuleHandle(refuse(causeOf(*error)));
  native_.fetch_add(1, std::memory_order_relaxed);
  return ModuleHandle(module);
}

base::Result<std::vector<std::byte>> WasmtimeEngine::makeNative(std::span<const std::byte> bytes) {
  const auto before = findNativeCode(bytes);
  auto module = translate(before ? before->module : bytes);
  if (!module.ok()) return std::move(module).error();
  OwnedBytes out;
  if (const ErrorHandle error{wasmtime_module_serialize(module->get(), out.out())}) {
    return badModule(base::Code::Internal, causeOf(*error));
  }
  return copyOf(out);
}

std::string_view WasmtimeEngine::nativeName() const { return kCodeVersion; }

base::Result<ModuleHandle> WasmtimeEngine::translate(std::span<const std::byte> bytes) {
  wasmtime_module_t* module = nullptr;
  const ErrorHandle error(
      wasmtime_module_new(handle_.get(), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &module));
  if (error) {
    std::string cause = causeOf(*error);
    if (const auto place = placeOfFault(cause, bytes)) cause += ", " + *place;
    return badModule(base::Code::Malformed, std::move(cause));
  }
  compiled_.fetch_add(1, std::memory_order_relaxed);
  return ModuleHandle(module);
}

ModuleHandle WasmtimeEngine::fromCache(const std::string& name) {
  const ModuleCache::Lookup lookup = cache_->find(name);
  if (lookup.found == ModuleCache::Found::Missing) return nullptr;
  if (lookup.found == ModuleCache::Found::Hit) {
    wasmtime_module_t* module = nullptr;
    const ErrorHandle error(wasmtime_module_deserialize_file(handle_.get(), lookup.path.c_str(), &module));
    if (!error) {
      cache_hits_.fetch_add(1, std::memory_order_relaxed);
      return ModuleHandle(module);
    }
    // Sealed by us, but for a machine with another processor.
    LOG(Wasm, Warning, "compiled module {} cannot be used here: {}", name, causeOf(*error));
  } else {
    LOG(Wasm, Warning, "compiled module {} is damaged or not ours: compiling it anew", name);
  }
  cache_rejected_.fetch_add(1, std::memory_order_relaxed);
  return nullptr;
}

void WasmtimeEngine::keep(const std::string& name, const wasmtime_module_t& module) {
  OwnedBytes bytes;
  if (const ErrorHandle error{wasmtime_module_serialize(&module, bytes.out())}) {
    LOG(Wasm, Warning, "compiled module {} cannot be kept: {}", name, causeOf(*error));
    return;
  }
  const auto kept = cache_->put(name, std::as_bytes(std::span(bytes.begin(), bytes.size())));
  if (!kept.ok()) LOG(Wasm, Warning, "compiled module {} cannot be kept: {}", name, kept.error().detail);
}

std::shared_ptr<const CompiledModule> WasmtimeEngine::inUse(const std::string& digest) {
  const std::lock_guard lock(mutex_);
  const auto found = in_use_.find(digest);
  return found == in_use_.end() ? nullptr : found->second.lock();
}

void WasmtimeEngine::remember(const std::shared_ptr<const CompiledModule>& module) {
  const std::lock_guard lock(mutex_);
  std::erase_if(in_use_, [](const auto& item) { return item.second.expired(); });
  in_use_.insert_or_assign(module->digest(), module);
}

EngineStats WasmtimeEngine::stats() const {
  const InstancePool* const pool = ticking_pool_.load(std::memory_order_acquire);
  return {.compiled = compiled_.load(std::memory_order_relaxed),
          .cache_hits = cache_hits_.load(std::memory_order_relaxed),
          .cache_rejected = cache_rejected_.load(std::memory_order_relaxed),
          .native = native_.load(std::memory_order_relaxed),
          .native_refused = native_refused_.load(std::memory_order_relaxed),
          .ticks = ticker_.ticks(),
          .pool_resident = pool != nullptr ? pool->resident() : 0};
}

}  // namespace weir::wasm
