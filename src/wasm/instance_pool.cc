#include "wasm/instance_pool.h"

#include "wasm/engine_pool.h"
#include "wasm/failure.h"

namespace weir::wasm {

base::Result<std::unique_ptr<InstancePool>> InstancePool::create(ConfigHandle config, uint32_t places) {
  const bool scans = weir_pool_scans();
  const weir_pool_settings settings{.instances = places,
                                    .warm = places,  // A module's own are taken first in any case.
                                    .memory_bytes = size_t{4} << 30,
                                    .table_elements = kTableElements,
                                    .memory_resident = scans ? kResident : kResidentUnscanned,
                                    .table_resident = kTableResident,
                                    .scan = scans};
  wasm_engine_t* engine = nullptr;
  if (const ErrorHandle error{weir_pool_engine_new(config.release(), &settings, &engine)}) {
    return base::Error{base::Code::Unavailable, base::Side::Self, base::Retry::No, causeOf(*error)};
  }
  return std::unique_ptr<InstancePool>(new InstancePool(EngineHandle(engine), places));
}

size_t InstancePool::resident() const { return weir_pool_resident(engine_.get()); }

InstancePool::Place InstancePool::take() {
  if (taken_.fetch_add(1, std::memory_order_relaxed) < places_) return Place(*this);
  taken_.fetch_sub(1, std::memory_order_relaxed);
  return {};
}

}  // namespace weir::wasm
