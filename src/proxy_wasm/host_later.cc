// gRPC calls: every module that imports them links, and calling them says that they are not there
// yet.
#include "proxy_wasm/host_functions.h"

namespace weir::proxy_wasm {
namespace {

template <typename... A>
AbiStatus notYet(Call&, A...) {
  return AbiStatus::Unimplemented;
}

using U = uint32_t;
constexpr auto k1 = notYet<U>;
constexpr auto k4 = notYet<U, U, U, U>;
constexpr auto k9 = notYet<U, U, U, U, U, U, U, U, U>;
constexpr auto k12 = notYet<U, U, U, U, U, U, U, U, U, U, U, U>;

}  // namespace

std::vector<HostFunctionEntry> laterFunctions() {
  return {hostFunction<"env.proxy_grpc_call", k12>(), hostFunction<"env.proxy_grpc_stream", k9>(),
          hostFunction<"env.proxy_grpc_send", k4>(), hostFunction<"env.proxy_grpc_cancel", k1>(),
          hostFunction<"env.proxy_grpc_close", k1>()};
}

}  // namespace weir::proxy_wasm
