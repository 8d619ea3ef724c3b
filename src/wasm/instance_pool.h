// Places for instances of snapshots (snapshot.h), which are made and gone by the thousand: an engine of its own, with
// Wasmtime's pooling allocator.
//
// A place keeps its address space, and the mapping of the module that was there last. After use what the guest wrote is
// written back by hand, page by page, so that the next instance of the module meets no page fault; what is more than
// kResident is given back to the system. Which pages those are the system tells since Linux 6.7 (PAGEMAP_SCAN); an
// older one gives all but the first kResidentUnscanned bytes back.
//
// Thread-safe. Outlives its places.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/result.h"
#include "wasm/handles.h"

namespace weir::wasm {

class InstancePool {
 public:
  // What a place may keep in memory while nobody uses it, and what a table may be to have a place at all.
  static constexpr size_t kResident = 256 * 1024;
  static constexpr size_t kResidentUnscanned = 0;
  static constexpr size_t kTableResident = 16 * 1024;
  static constexpr size_t kTableElements = 20'000;

  // Takes the configuration, which must be the one of the engine whose code is to run here. Error: no room.
  static base::Result<std::unique_ptr<InstancePool>> create(ConfigHandle config, uint32_t places);

  wasm_engine_t* engine() const { return engine_.get(); }
  // Bytes that places keep in memory while nobody uses them.
  size_t resident() const;

  // One place, as long as this lives.
  class Place {
   public:
    Place() = default;
    explicit Place(InstancePool& pool) : pool_(&pool) {}
    Place(Place&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (pool_ != nullptr) pool_->taken_.fetch_sub(1, std::memory_order_relaxed);
    }
    explicit operator bool() const { return pool_ != nullptr; }

   private:
    InstancePool* pool_ = nullptr;
  };
  // Empty: all are taken.
  Place take();

 private:
  InstancePool(EngineHandle engine, uint32_t places) : engine_(std::move(engine)), places_(places) {}

  const EngineHandle engine_;
  const uint32_t places_;
  std::atomic<uint32_t> taken_{0};
};

}  // namespace weir::wasm
