// proxy_redis_init and proxy_redis_call, which Higress has added to the ABI.
#include "proxy_wasm/host_functions.h"
#include "proxy_wasm/root_context.h"

namespace weir::proxy_wasm {
namespace {

AbiStatus redisInit(Call& call, uint32_t cluster, uint32_t cluster_size, uint32_t user, uint32_t user_size,
                    uint32_t password, uint32_t password_size, uint32_t timeout_ms) {
  const auto cluster_text = call.read(cluster, cluster_size);
  const auto user_text = call.read(user, user_size);
  const auto password_text = call.read(password, password_size);
  if (!cluster_text || !user_text || !password_text) return AbiStatus::InvalidMemoryAccess;
  RootContext* const root = call.root();
  if (root == nullptr || timeout_ms > 0x7fffffff) return AbiStatus::BadArgument;
  return root->redis().configure(*cluster_text, *user_text, *password_text, std::chrono::milliseconds(timeout_ms));
}

AbiStatus redisCall(Call& call, uint32_t cluster, uint32_t cluster_size, uint32_t command, uint32_t command_size,
                    uint32_t out_token) {
  const auto cluster_text = call.read(cluster, cluster_size);
  const auto command_bytes = call.read(command, command_size);
  if (!cluster_text || !command_bytes || !call.writable(out_token, 4)) return AbiStatus::InvalidMemoryAccess;
  RootContext* const root = call.root();
  if (root == nullptr) return AbiStatus::BadArgument;
  uint32_t token = 0;
  const AbiStatus begun = root->redis().begin(*cluster_text, *command_bytes, token);
  call.writeU32(out_token, begun == AbiStatus::Ok ? token : 0);
  return begun;
}

}  // namespace

std::vector<HostFunctionEntry> redisFunctions() {
  return {hostFunction<"env.proxy_redis_init", redisInit>(), hostFunction<"env.proxy_redis_call", redisCall>()};
}

}  // namespace weir::proxy_wasm
