// proxy_grpc_*: abi.md 2.10.
#include "proxy_wasm/grpc_calls.h"
#include "proxy_wasm/grpc_target.h"
#include "proxy_wasm/host_functions.h"
#include "proxy_wasm/pairs.h"
#include "proxy_wasm/root_context.h"

namespace weir::proxy_wasm {
namespace {

// Where the texts of a call lie.
struct Texts {
  std::optional<std::string_view> target, service, method, metadata;
  bool readable() const { return target && service && method && metadata; }
};

AbiStatus begin(Call& call, const Texts& texts, std::optional<std::string_view> message, base::Duration timeout,
                uint32_t out_token) {
  RootContext* const root = call.root();
  if (root == nullptr) return AbiStatus::BadArgument;
  const auto metadata = parsePairs(*texts.metadata);
  if (!metadata) return AbiStatus::BadArgument;
  uint32_t token = 0;
  const AbiStatus begun = root->grpc().begin(readGrpcTarget(*texts.target),
                                             {*texts.service, *texts.method, *metadata, message, timeout}, token);
  if (begun != AbiStatus::Ok) return begun;
  return call.writeU32(out_token, token) ? AbiStatus::Ok : AbiStatus::InvalidMemoryAccess;
}

AbiStatus grpcCall(Call& call, uint32_t target, uint32_t target_size, uint32_t service, uint32_t service_size,
                   uint32_t method, uint32_t method_size, uint32_t metadata, uint32_t metadata_size, uint32_t message,
                   uint32_t message_size, uint32_t timeout_ms, uint32_t out_token) {
  const Texts texts{call.read(target, target_size), call.read(service, service_size), call.read(method, method_size),
                    call.read(metadata, metadata_size)};
  const auto bytes = call.read(message, message_size);
  if (!texts.readable() || !bytes || !call.writable(out_token, 4)) return AbiStatus::InvalidMemoryAccess;
  return begin(call, texts, *bytes, std::chrono::milliseconds(timeout_ms), out_token);
}

AbiStatus grpcStream(Call& call, uint32_t target, uint32_t target_size, uint32_t service, uint32_t service_size,
                     uint32_t method, uint32_t method_size, uint32_t metadata, uint32_t metadata_size,
                     uint32_t out_token) {
  const Texts texts{call.read(target, target_size), call.read(service, service_size), call.read(method, method_size),
                    call.read(metadata, metadata_size)};
  if (!texts.readable() || !call.writable(out_token, 4)) return AbiStatus::InvalidMemoryAccess;
  return begin(call, texts, std::nullopt, {}, out_token);
}

AbiStatus grpcSend(Call& call, uint32_t token, uint32_t message, uint32_t message_size, uint32_t end_stream) {
  const auto bytes = call.read(message, message_size);
  if (!bytes) return AbiStatus::InvalidMemoryAccess;
  RootContext* const root = call.root();
  return root != nullptr ? root->grpc().send(token, *bytes, end_stream != 0) : AbiStatus::BadArgument;
}

AbiStatus grpcCancel(Call& call, uint32_t token) {
  RootContext* const root = call.root();
  return root != nullptr ? root->grpc().cancel(token) : AbiStatus::BadArgument;
}

AbiStatus grpcClose(Call& call, uint32_t token) {
  RootContext* const root = call.root();
  return root != nullptr ? root->grpc().close(token) : AbiStatus::BadArgument;
}

}  // namespace

std::vector<HostFunctionEntry> grpcFunctions() {
  return {hostFunction<"env.proxy_grpc_call", grpcCall>(), hostFunction<"env.proxy_grpc_stream", grpcStream>(),
          hostFunction<"env.proxy_grpc_send", grpcSend>(), hostFunction<"env.proxy_grpc_cancel", grpcCancel>(),
          hostFunction<"env.proxy_grpc_close", grpcClose>()};
}

}  // namespace weir::proxy_wasm
