// proxy_get_shared_data and proxy_set_shared_data: abi.md 2.11.
#include "proxy_wasm/host_functions.h"

namespace weir::proxy_wasm {
namespace {

AbiStatus getSharedData(Call& call, uint32_t key, uint32_t key_size, uint32_t out, uint32_t out_size,
                        uint32_t out_cas) {
  const auto name = call.read(key, key_size);
  if (!name) return AbiStatus::InvalidMemoryAccess;
  std::string& value = call.vm().scratch();
  uint32_t cas = 0;
  const AbiStatus found = call.vm().code().shared_data->get(*name, call.vm().environment().clock, value, cas);
  if (found != AbiStatus::Ok) return found;
  const AbiStatus given = call.give(value, out, out_size);
  if (given != AbiStatus::Ok) return given;
  return call.writeU32(out_cas, cas) ? AbiStatus::Ok : AbiStatus::InvalidMemoryAccess;
}

AbiStatus setSharedData(Call& call, uint32_t key, uint32_t key_size, uint32_t value, uint32_t value_size,
                        uint32_t cas) {
  const auto name = call.read(key, key_size);
  const auto text = call.read(value, value_size);
  if (!name || !text) return AbiStatus::InvalidMemoryAccess;
  const PluginCode& code = call.vm().code();
  const SharedData::Write how{.cas = cas, .most_bytes = code.budgets.shared_data_bytes};
  const AbiStatus status = code.shared_data->set(*name, *text, how, call.vm().environment().clock);
  if (status == AbiStatus::InternalFailure) code.shared_data_refused.add();
  return status;
}

}  // namespace

std::vector<HostFunctionEntry> sharedDataFunctions() {
  return {hostFunction<"env.proxy_get_shared_data", getSharedData>(),
          hostFunction<"env.proxy_set_shared_data", setSharedData>()};
}

}  // namespace weir::proxy_wasm
