// envoy_resolve_dns: Envoy's own addition to the ABI.
#include "proxy_wasm/host_functions.h"
#include "proxy_wasm/root_context.h"

namespace weir::proxy_wasm {
namespace {

AbiStatus resolveDns(Call& call, uint32_t name, uint32_t name_size, uint32_t out_token) {
  const auto text = call.read(name, name_size);
  if (!text || !call.writable(out_token, 4)) return AbiStatus::InvalidMemoryAccess;
  RootContext* const root = call.root();
  if (root == nullptr) return AbiStatus::BadArgument;
  uint32_t token = 0;
  const AbiStatus begun = root->names().begin(*text, token);
  if (begun == AbiStatus::Ok) call.writeU32(out_token, token);
  return begun;
}

}  // namespace

std::vector<HostFunctionEntry> dnsFunctions() { return {hostFunction<"env.envoy_resolve_dns", resolveDns>()}; }

}  // namespace weir::proxy_wasm
