// proxy_*_metric: abi.md 2.14.
#include "proxy_wasm/host_functions.h"

namespace weir::proxy_wasm {
namespace {

AbiStatus defineMetric(Call& call, uint32_t type, uint32_t name, uint32_t name_size, uint32_t out) {
  const auto checked_type = checked<MetricType>(type);
  if (!checked_type) return AbiStatus::BadArgument;
  const auto text = call.read(name, name_size);
  if (!text) return AbiStatus::InvalidMemoryAccess;
  uint32_t id = 0;
  const AbiStatus defined = call.vm().metrics().define(*checked_type, *text, id);
  if (defined == AbiStatus::InternalFailure) call.vm().code().metrics_refused.add();
  if (defined != AbiStatus::Ok) return defined;
  return call.writeU32(out, id) ? AbiStatus::Ok : AbiStatus::InvalidMemoryAccess;
}

AbiStatus incrementMetric(Call& call, uint32_t id, uint64_t by) {
  return call.vm().metrics().increment(id, static_cast<int64_t>(by));
}

AbiStatus recordMetric(Call& call, uint32_t id, uint64_t value) { return call.vm().metrics().record(id, value); }

AbiStatus getMetric(Call& call, uint32_t id, uint32_t out) {
  uint64_t value = 0;
  const AbiStatus found = call.vm().metrics().get(id, value);
  if (found != AbiStatus::Ok) return found;
  return call.writeU64(out, value) ? AbiStatus::Ok : AbiStatus::InvalidMemoryAccess;
}

}  // namespace

std::vector<HostFunctionEntry> metricFunctions() {
  return {hostFunction<"env.proxy_define_metric", defineMetric>(),
          hostFunction<"env.proxy_increment_metric", incrementMetric>(),
          hostFunction<"env.proxy_record_metric", recordMetric>(), hostFunction<"env.proxy_get_metric", getMetric>()};
}

}  // namespace weir::proxy_wasm
