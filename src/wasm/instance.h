// One running guest: its memory, its functions, its budgets. Belongs to one thread.
//
// A trap, an exceeded deadline or a memory refusal never throws: the call returns an Error with side Plugin, and the
// instance is dead from then on (every further call returns the same error at once).
// Guest memory never moves (4 GiB are reserved), so its base is constant; its size only grows. Nothing from the guest
// is believed: views are checked, in 64 bits, against the size as it is now.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wasm/engine.h"

namespace weir::wasm {

// Raw values as the engine passes them: one slot each. i32 lives in the low half.
union RawValue {
  int32_t i32;
  int64_t i64;
  float f32;
  double f64;
  uint64_t bits[2];
};
static_assert(sizeof(RawValue) == 16);

class Instance;

// A function that guests import. `slots` holds the arguments and receives the result in slots[0].
// context is the one of this instance's HostImport. Returning false makes the guest trap with
// Instance::setTrapMessage()'s words.
using HostFunction = bool (*)(void* context, Instance& instance, RawValue* slots);

class Linkage;

struct HostImport {
  std::string_view module;
  std::string_view name;
  FunctionType type;
  HostFunction function = nullptr;
  void* context = nullptr;
};

struct InstanceLimits {
  size_t memory_bytes = 64 * 1024 * 1024;  // memory.grow beyond it returns -1; a larger initial memory is refused.
  uint32_t table_elements = 100'000;
};

// A function of one guest. Cheap to copy; belongs to its instance.
struct GuestFunction {
  uint64_t store = 0;
  void* handle = nullptr;
  uint8_t params = 0;
  bool has_result = false;
  explicit operator bool() const { return handle != nullptr; }
};

// What a guest died of.
enum class FaultKind : uint8_t {
  None,
  Deadline,      // Its time was over.
  Stack,         // Recursion.
  MemoryLimit,   // It was refused memory, and trapped by itself or beyond what it has.
  MemoryAccess,  // Outside of its memory.
  Unreachable,   // What compilers make of a panic or an abort.
  Host,          // A host function would not go on.
  Other,
};
// "deadline", "memory_limit".
std::string_view name(FaultKind kind);

class Instance {
 public:
  // Instantiates (runs the start section, under start_deadline). Every function import must be found in `host` with
  // exactly its type. Errors name the import: "Failed to load Wasm module due to a missing import: env.foo". An
  // imported memory or table is made here; imported globals are refused. `host` is read only during this call.
  // Instances of one module with the same functions (contexts may differ) share what linking costs; Blueprint shares
  // the look for it, too. While the start section runs, host functions can see an exported memory of the name "memory"
  // or an imported one, and no function().
  static base::Result<std::unique_ptr<Instance>> create(Engine& engine, std::shared_ptr<const Module> module,
                                                        std::span<const HostImport> host, const InstanceLimits& limits,
                                                        base::Duration start_deadline);
  virtual ~Instance() = default;

  // An exported function of exactly this type (only i32, up to 8 parameters, one result or none); empty if there is
  // none.
  GuestFunction function(std::string_view name, const FunctionType& type) {
    return function(module().find(name, type));
  }
  // The same, found in its module before. Empty for an empty one.
  virtual GuestFunction function(const ExportedFunction& exported) = 0;
  virtual const Module& module() const = 0;
  // Whether it has a place in the pool.
  virtual bool pooled() const = 0;

  // Calls with up to 8 i32 arguments; the result is the i32 the function returns, or 0. Re-entrant: a host function may
  // call again (the deadline of the outermost call holds for all). limit: the most time the guest may take, exact to
  // about a tick of the engine; Duration::max() means no limit. `function` must be one of this instance, not empty, and
  // take just as many arguments.
  virtual base::Result<uint32_t> call(const GuestFunction& function, std::span<const uint32_t> arguments,
                                      base::Duration limit) = 0;

  // [address, address + size) of the guest's memory; nullopt if any of it lies outside. Valid until the next call into
  // the guest (memory does not move, but the guest may write to it).
  std::optional<std::span<std::byte>> view(uint32_t address, uint32_t size) {
    const uint64_t end = uint64_t{address} + size;
    if (end > memory_size_ && end > refreshMemorySize()) return std::nullopt;
    return std::span<std::byte>(memory_base_ + address, size);
  }
  size_t memorySize() { return refreshMemorySize(); }

  // Why the instance is dead; nullptr while it lives.
  virtual const base::Error* failure() const = 0;
  virtual FaultKind faultKind() const = 0;
  // The innermost guest frames when it died, as "  0:  0x2c01a - name at src/lib.rs:42" lines, the source's line where
  // the module says it; empty if unknown.
  virtual const std::string& backtrace() const = 0;
  // For a HostFunction that returns false.
  virtual void setTrapMessage(std::string message) = 0;
  // Whether the last memory.grow was refused by the limit; how often.
  virtual uint64_t refusedGrowths() const = 0;

 protected:
  virtual size_t refreshMemorySize() = 0;
  std::byte* memory_base_ = nullptr;
  size_t memory_size_ = 0;  // A lower bound: memory only grows.
};

// A module with its host functions found and checked once, for many instances. Immutable; used by any thread; kept by
// its instances.
class Blueprint : public std::enable_shared_from_this<Blueprint> {
 public:
  // As Instance::create(); in the instances the imports without a context (null) have the instance's own. Those of a
  // snapshot get a place in the engine's pool, while there is one.
  static base::Result<std::shared_ptr<const Blueprint>> create(Engine& engine, std::shared_ptr<const Module> module,
                                                               std::span<const HostImport> host);
  base::Result<std::unique_ptr<Instance>> instantiate(void* own_context, const InstanceLimits& limits,
                                                      base::Duration start_deadline) const;

 private:
  friend class GuestInstance;
  Blueprint(Engine& engine, std::shared_ptr<const Module> module) : engine_(engine), module_(std::move(module)) {}

  Engine& engine_;
  const std::shared_ptr<const Module> module_;
  std::shared_ptr<const Linkage> linkage_;
  std::shared_ptr<const Linkage> pooled_linkage_;  // Null: its instances have no place in the pool.
  std::vector<void*> contexts_;                    // One per function import.
};

}  // namespace weir::wasm
