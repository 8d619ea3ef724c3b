// Instance on Wasmtime: one store with one instance in it.
#pragma once

#include <optional>

#include "wasm/compiled_module.h"
#include "wasm/engine_limits.h"
#include "wasm/instance.h"
#include "wasm/wasmtime_engine.h"

namespace weir::wasm {

class GuestInstance final : public Instance {
 public:
  // own_context: for the imports that have none in the blueprint. place: empty, or one in the module's pool.
  GuestInstance(std::shared_ptr<const Blueprint> blueprint, void* own_context, const InstanceLimits& limits,
                InstancePool::Place place);
  ~GuestInstance() override;

  // Makes the Wasmtime instance and runs the start section. Once, before anything else.
  base::Result<void> start(base::Duration deadline);

  using Instance::function;
  GuestFunction function(const ExportedFunction& exported) override;
  const Module& module() const override { return module_; }
  bool pooled() const override { return static_cast<bool>(place_); }
  base::Result<uint32_t> call(const GuestFunction& function, std::span<const uint32_t> arguments,
                              base::Duration limit) override;
  const base::Error* failure() const override { return failure_ ? &*failure_ : nullptr; }
  FaultKind faultKind() const override { return fault_kind_; }
  const std::string& backtrace() const override { return backtrace_; }
  void setTrapMessage(std::string message) override { trap_message_ = std::move(message); }
  uint64_t refusedGrowths() const override { return limits_.refused_growths; }
  // For snapshots.
  wasmtime_context_t* store() const { return context_; }
  const wasmtime_instance_t& handle() const { return instance_; }

  // What the guest's calls of host functions arrive at; env is the Binding.
  static wasm_trap_t* enterHost(void* env, wasmtime_caller_t* caller, wasmtime_val_raw_t* slots, size_t count);

 protected:
  size_t refreshMemorySize() override;

 private:
  static constexpr size_t kMostParameters = 8;
  // A long call asks for its ticks in stretches, so that the ticker does not tick on for the rest of a long limit after
  // a short call.
  static constexpr uint64_t kStretch = 16;
  // The ticker's count and Wasmtime's may be seen in either order; they are never further apart than this.
  static constexpr uint64_t kMargin = 2;

  void startBudget(base::Duration limit);
  uint64_t nextStretch();
  static wasmtime_error_t* stretchEnded(wasmtime_context_t* store, void* data, uint64_t* more,
                                        wasmtime_update_deadline_kind_t* kind);
  void useMemory(const wasmtime_memory_t& memory);
  void findMemoryEarly(wasmtime_caller_t* caller);
  wasm_trap_t* hostTrap();
  const base::Error& die(ErrorHandle error, TrapHandle trap);
  FaultKind kindOf(const wasm_trap_t* trap) const;
  std::string describe(const wasmtime_error_t* error, const wasm_trap_t* trap) const;

  const std::shared_ptr<const Blueprint> blueprint_;
  WasmtimeEngine& engine_;
  const CompiledModule& module_;
  void* const own_context_;
  const InstancePool::Place place_;
  const ModuleCode& code_;
  weir_limits limits_;
  StoreHandle store_;  // After what it points to.
  wasmtime_context_t* context_;
  wasmtime_instance_t instance_{};
  std::optional<wasmtime_memory_t> memory_;

  bool starting_ = true;
  uint32_t depth_ = 0;  // Guest calls on the stack.
  base::Duration limit_{-1};
  uint64_t limit_ticks_ = 0;      // limit_ in ticks.
  uint64_t remaining_ticks_ = 0;  // Of the outermost call's limit, beyond the stretch that runs now.
  FaultKind fault_kind_ = FaultKind::None;
  bool deadline_passed_ = false;
  bool host_trapped_ = false;

  std::optional<base::Error> failure_;
  std::string backtrace_;
  std::string trap_message_;
};

}  // namespace weir::wasm
