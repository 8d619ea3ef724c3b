#include "wasm/guest_instance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "wasm/failure.h"

namespace weir::wasm {
namespace {

base::Error tooLarge(uint64_t wanted, size_t limit) {
  return {base::Code::TooLarge, base::Side::Plugin, base::Retry::No,
          fmt::format("Failed to load Wasm module: it starts with {} bytes of memory, above its limit of {} bytes",
                      wanted, limit)};
}

}  // namespace

base::Result<std::unique_ptr<Instance>> Instance::create(Engine& engine, std::shared_ptr<const Module> module,
                                                         std::span<const HostImport> host, const InstanceLimits& limits,
                                                         base::Duration start_deadline) {
  auto blueprint = Blueprint::create(engine, std::move(module), host);
  if (!blueprint.ok()) return std::move(blueprint).error();
  return (*blueprint)->instantiate(nullptr, limits, start_deadline);
}

// There is one kind of engine and one of module: both come from Engine::create().
base::Result<std::shared_ptr<const Blueprint>> Blueprint::create(Engine& engine, std::shared_ptr<const Module> module,
                                                                 std::span<const HostImport> host) {
  std::shared_ptr<Blueprint> blueprint(new Blueprint(engine, std::move(module)));
  const auto& compiled = static_cast<const CompiledModule&>(*blueprint->module_);
  auto match = compiled.code().linkages.match(compiled, compiled.code(), host);
  if (!match.ok()) return std::move(match).error();
  blueprint->linkage_ = std::move(match->linkage);
  blueprint->contexts_ = std::move(match->contexts);
  if (const ModuleCode* const pooled = compiled.pooledCode()) {
    auto same = pooled->linkages.match(compiled, *pooled, host);
    if (!same.ok()) return std::move(same).error();
    blueprint->pooled_linkage_ = std::move(same->linkage);
  }
  return std::shared_ptr<const Blueprint>(std::move(blueprint));
}

base::Result<std::unique_ptr<Instance>> Blueprint::instantiate(void* own_context, const InstanceLimits& limits,
                                                               base::Duration start_deadline) const {
  const auto& compiled = static_cast<const CompiledModule&>(*module_);
  if (compiled.initialMemoryBytes() > limits.memory_bytes) {
    return tooLarge(compiled.initialMemoryBytes(), limits.memory_bytes);
  }
  InstancePool::Place place = pooled_linkage_ != nullptr ? compiled.pool()->take() : InstancePool::Place();
  auto instance = std::make_unique<GuestInstance>(shared_from_this(), own_context, limits, std::move(place));
  if (auto started = instance->start(start_deadline); !started.ok()) return std::move(started).error();
  return std::unique_ptr<Instance>(std::move(instance));
}

GuestInstance::GuestInstance(std::shared_ptr<const Blueprint> blueprint, void* own_context,
                             const InstanceLimits& limits, InstancePool::Place place)
    : blueprint_(std::move(blueprint)),
      engine_(static_cast<WasmtimeEngine&>(blueprint_->engine_)),
      module_(static_cast<const CompiledModule&>(*blueprint_->module_)),
      own_context_(own_context),
      place_(std::move(place)),
      code_(place_ ? *module_.pooledCode() : module_.code()),
      limits_{limits.memory_bytes, limits.table_elements, 0, 0},
      store_(wasmtime_store_new(code_.engine.get(), this, nullptr)),
      context_(wasmtime_store_context(store_.get())) {
  weir_store_set_limits(store_.get(), &limits_);
  wasmtime_store_epoch_deadline_callback(store_.get(), &stretchEnded, this, nullptr);
}

GuestInstance::~GuestInstance() { CHECK(depth_ == 0); }

base::Result<void> GuestInstance::start(base::Duration deadline) {
  startBudget(deadline);
  TrapHandle trap;
  ++depth_;
  const Linkage& linkage = place_ ? *blueprint_->pooled_linkage_ : *blueprint_->linkage_;
  ErrorHandle error = linkage.instantiate(module_, code_, context_, memory_, instance_, trap);
  --depth_;
  starting_ = false;
  if (error || trap) return base::Error(die(std::move(error), std::move(trap))).in("Failed to start Wasm module");

  wasmtime_memory_t memory;
  if (!module_.memoryName().empty() &&
      weir_instance_memory(context_, &instance_, code_.exports[module_.memoryIndex()].get(), &memory)) {
    memory_ = memory;
  }
  if (memory_) useMemory(*memory_);
  return base::Ok{};
}

void GuestInstance::useMemory(const wasmtime_memory_t& memory) {
  memory_ = memory;
  memory_base_ = reinterpret_cast<std::byte*>(wasmtime_memory_data(context_, &memory));
  memory_size_ = wasmtime_memory_data_size(context_, &memory);
}

size_t GuestInstance::refreshMemorySize() {
  if (!memory_) return 0;
  memory_size_ = wasmtime_memory_data_size(context_, &*memory_);
  return memory_size_;
}

GuestFunction GuestInstance::function(const ExportedFunction& exported) {
  wasmtime_func_t found;
  if (!exported || starting_) return {};
  if (!weir_instance_function(context_, &instance_, code_.exports[exported.index].get(), &found)) return {};
  return {found.store_id, found.__private, exported.params, exported.has_result};
}

base::Result<uint32_t> GuestInstance::call(const GuestFunction& function, std::span<const uint32_t> arguments,
                                           base::Duration limit) {
  if (failure_) [[unlikely]]
    return *failure_;
  CHECK(function && arguments.size() == function.params);
  wasmtime_val_raw_t slots[kMostParameters];
  for (size_t i = 0; i < arguments.size(); ++i) slots[i].i64 = static_cast<int32_t>(arguments[i]);

  if (depth_ == 0) startBudget(limit);
  const wasmtime_func_t handle{function.store, function.handle};
  wasm_trap_t* trap = nullptr;
  ++depth_;
  wasmtime_error_t* error = wasmtime_func_call_unchecked(context_, &handle, slots, kMostParameters, &trap);
  --depth_;
  if (error != nullptr || trap != nullptr) [[unlikely]]
    return die(ErrorHandle(error), TrapHandle(trap));
  return function.has_result ? static_cast<uint32_t>(slots[0].i32) : 0;
}

wasm_trap_t* GuestInstance::enterHost(void* env, wasmtime_caller_t* caller, wasmtime_val_raw_t* slots, size_t count) {
  const auto& binding = *static_cast<const Binding*>(env);
  auto& self = *static_cast<GuestInstance*>(wasmtime_context_get_data(wasmtime_caller_context(caller)));
  if (self.starting_) [[unlikely]]
    self.findMemoryEarly(caller);
  static_assert(sizeof(RawValue) == sizeof(wasmtime_val_raw_t));
  void* const context = self.blueprint_->contexts_[binding.context];
  const bool fine =
      binding.function(context != nullptr ? context : self.own_context_, self, reinterpret_cast<RawValue*>(slots));
  // A nested call may have killed the guest: its outer frames must not run on, whatever the host function thinks.
  if (fine && !self.failure_) [[likely]]
    return nullptr;
  return self.hostTrap();
}

// In the start section, before Wasmtime has handed out the instance.
void GuestInstance::findMemoryEarly(wasmtime_caller_t* caller) {
  if (memory_) return useMemory(*memory_);
  wasmtime_extern_t found;
  const std::string& name = module_.memoryName();
  if (name.empty() || !wasmtime_caller_export_get(caller, name.data(), name.size(), &found)) return;
  useMemory(found.of.memory);
}

wasm_trap_t* GuestInstance::hostTrap() {
  host_trapped_ = true;
  if (trap_message_.empty()) trap_message_ = "a host function refused to go on";
  return wasmtime_trap_new(trap_message_.data(), trap_message_.size());
}

// Rounded up, and one more because the first tick may come at once: the guest never gets less than its limit.
void GuestInstance::startBudget(base::Duration limit) {
  if (limit != limit_) {  // Most calls have the limit of the one before: no division.
    limit_ = limit;
    const auto period = static_cast<uint64_t>(engine_.ticker().period().count());
    const auto wanted = static_cast<uint64_t>(std::max<base::Duration::rep>(limit.count(), 0));
    limit_ticks_ = wanted / period + (wanted % period == 0 ? 1 : 2);
  }
  remaining_ticks_ = limit_ticks_;
  const uint64_t stretch = nextStretch();
  wasmtime_context_set_epoch_deadline(context_, stretch);
  engine_.ticker().need(stretch + kMargin);
}

uint64_t GuestInstance::nextStretch() {
  const uint64_t stretch = std::min(remaining_ticks_, kStretch);
  remaining_ticks_ -= stretch;
  return stretch;
}

wasmtime_error_t* GuestInstance::stretchEnded(wasmtime_context_t*, void* data, uint64_t* more,
                                              wasmtime_update_deadline_kind_t* kind) {
  auto& self = *static_cast<GuestInstance*>(data);
  const uint64_t stretch = self.nextStretch();
  if (stretch == 0) {
    self.deadline_passed_ = true;
    return wasmtime_error_new("deadline");
  }
  *more = stretch;
  *kind = WASMTIME_UPDATE_DEADLINE_CONTINUE;
  self.engine_.ticker().need(stretch + kMargin);
  return nullptr;
}

std::string GuestInstance::describe(const wasmtime_error_t* error, const wasm_trap_t* trap) const {
  if (deadline_passed_) {
    const auto limit = std::chrono::duration<double, std::milli>(limit_);
    return fmt::format("the guest exceeded its time limit of {} ms", limit.count());
  }
  if (host_trapped_) return trap_message_;
  return error != nullptr ? causeOf(*error) : causeOf(*trap);
}

FaultKind GuestInstance::kindOf(const wasm_trap_t* trap) const {
  if (deadline_passed_) return FaultKind::Deadline;
  if (host_trapped_) return FaultKind::Host;
  wasmtime_trap_code_t code = 0;
  if (trap == nullptr || !wasmtime_trap_code(trap, &code)) return FaultKind::Other;
  if (code == WASMTIME_TRAP_CODE_STACK_OVERFLOW) return FaultKind::Stack;
  const bool unreachable = code == WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED;
  if (!unreachable && code != WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS) return FaultKind::Other;
  if (limits_.refused_growths > 0) return FaultKind::MemoryLimit;
  return unreachable ? FaultKind::Unreachable : FaultKind::MemoryAccess;
}

const base::Error& GuestInstance::die(ErrorHandle error, TrapHandle trap) {
  if (failure_) return *failure_;  // The frames around the one that died.
  failure_ = base::Error{deadline_passed_ ? base::Code::Deadline : base::Code::Trap, base::Side::Plugin,
                         base::Retry::No, describe(error.get(), trap.get())};
  fault_kind_ = kindOf(trap.get());
  const SourceLines* lines = module_.sourceLines();
  backtrace_ = error != nullptr ? backtraceOf(*error, lines) : backtraceOf(*trap, lines);
  return *failure_;
}

}  // namespace weir::wasm
