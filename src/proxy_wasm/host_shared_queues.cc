// proxy_*_shared_queue: abi.md 2.12.
#include "proxy_wasm/host_functions.h"
#include "proxy_wasm/root_context.h"

namespace weir::proxy_wasm {
namespace {

SharedQueues::Share& queuesOf(Call& call) { return *call.vm().code().shared_queues; }

AbiStatus registerQueue(Call& call, uint32_t name, uint32_t name_size, uint32_t token_out) {
  const auto text = call.read(name, name_size);
  if (!text) return AbiStatus::InvalidMemoryAccess;
  RootContext* const root = call.root();
  uint32_t token = 0;
  const AbiStatus added = queuesOf(call).add(*text, root != nullptr ? call.vm().queueEar() : nullptr,
                                             root != nullptr ? root->id() : 0, token);
  if (added != AbiStatus::Ok) return added;
  return call.writeU32(token_out, token) ? AbiStatus::Ok : AbiStatus::InvalidMemoryAccess;
}

AbiStatus resolveQueue(Call& call, uint32_t vm_id, uint32_t vm_id_size, uint32_t name, uint32_t name_size,
                       uint32_t token_out) {
  const auto vm = call.read(vm_id, vm_id_size);
  const auto text = call.read(name, name_size);
  if (!vm || !text) return AbiStatus::InvalidMemoryAccess;
  uint32_t token = 0;
  const AbiStatus found = queuesOf(call).find(*vm, *text, token);
  if (found != AbiStatus::Ok) return found;
  return call.writeU32(token_out, token) ? AbiStatus::Ok : AbiStatus::InvalidMemoryAccess;
}

AbiStatus enqueue(Call& call, uint32_t token, uint32_t data, uint32_t size) {
  const auto value = call.read(data, size);
  if (!value) return AbiStatus::InvalidMemoryAccess;
  bool full = false;
  const PluginCode& code = call.vm().code();
  const AbiStatus put = queuesOf(call).put(token, *value, code.budgets.queue_bytes, full);
  if (!full) return put;
  code.shared_queue_full.add();
  RootContext* const root = call.root();
  if (root != nullptr && root->warnOnce()) LOG(Wasm, Warning, "a shared queue is full: what plugins put in is refused");
  return put;
}

AbiStatus dequeue(Call& call, uint32_t token, uint32_t out, uint32_t out_size) {
  std::string value;
  const AbiStatus taken = queuesOf(call).take(token, value);
  return taken == AbiStatus::Ok ? call.give(value, out, out_size) : taken;
}

}  // namespace

std::vector<HostFunctionEntry> sharedQueueFunctions() {
  return {hostFunction<"env.proxy_register_shared_queue", registerQueue>(),
          hostFunction<"env.proxy_resolve_shared_queue", resolveQueue>(),
          hostFunction<"env.proxy_enqueue_shared_queue", enqueue>(),
          hostFunction<"env.proxy_dequeue_shared_queue", dequeue>()};
}

}  // namespace weir::proxy_wasm
