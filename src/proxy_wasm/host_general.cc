// Logs, time, ticks, contexts, configuration, and what toolchains import besides.
#include "proxy_wasm/host_functions.h"
#include "proxy_wasm/root_context.h"

namespace weir::proxy_wasm {
namespace {

AbiStatus log(Call& call, uint32_t level, uint32_t message, uint32_t size) {
  if (level > static_cast<uint32_t>(base::LogLevel::Critical)) return AbiStatus::BadArgument;
  const auto text = call.read(message, size);
  if (!text) return AbiStatus::InvalidMemoryAccess;
  logFromGuest(call.context(), static_cast<base::LogLevel>(level), *text);
  return AbiStatus::Ok;
}

AbiStatus getLogLevel(Call& call, uint32_t out) {
  const auto level = static_cast<uint32_t>(base::logLevel(base::LogComponent::Wasm));
  return call.writeU32(out, level) ? AbiStatus::Ok : AbiStatus::InvalidMemoryAccess;
}

AbiStatus getConfiguration(Call& call, uint32_t out, uint32_t out_size) {
  RootContext* const root = call.root();
  const std::string* const shown = root != nullptr ? root->shownConfiguration() : nullptr;
  return call.give(shown != nullptr ? *shown : call.vm().code().spec.configuration, out, out_size);
}

AbiStatus getStatus(Call& call, uint32_t code_out, uint32_t out, uint32_t out_size) {
  RootContext* const root = call.root();
  if (!call.writeU32(code_out, root != nullptr ? root->statusCode() : 0)) return AbiStatus::InvalidMemoryAccess;
  return call.give(root != nullptr ? std::string_view(root->statusMessage()) : std::string_view(), out, out_size);
}

AbiStatus setTickPeriod(Call& call, uint32_t milliseconds) {
  if (RootContext* const root = call.root(); root != nullptr) {
    root->setTickPeriod(std::chrono::milliseconds(milliseconds));
  }
  return AbiStatus::Ok;
}

AbiStatus getTime(Call& call, uint32_t out) {
  const auto now = call.vm().environment().clock.wall().time_since_epoch();
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  return call.writeU64(out, static_cast<uint64_t>(nanoseconds)) ? AbiStatus::Ok : AbiStatus::InvalidMemoryAccess;
}

AbiStatus setEffectiveContext(Call& call, uint32_t id) {
  return call.vm().setEffective(id) ? AbiStatus::Ok : AbiStatus::BadArgument;
}

AbiStatus done(Call& call) {
  Context& context = call.context();
  if (!call.vm().pendingDone(context)) return AbiStatus::NotFound;
  call.vm().defer({Vm::Action::Kind::RootDone, &context});
  return AbiStatus::Ok;
}

uint32_t pthreadEqual(Call&, uint32_t left, uint32_t right) { return left == right ? 1 : 0; }
void memoryGrew(Call&, uint32_t) {}

// AssemblyScript's abort(message, file, line, column). The guest goes on into the trap that its compiler put there.
void abort(Call& call, uint32_t, uint32_t, uint32_t line, uint32_t column) {
  logFromGuest(call.context(), base::LogLevel::Error, fmt::format("abort at line {}, column {}", line, column));
}

}  // namespace

std::vector<HostFunctionEntry> generalFunctions() {
  return {hostFunction<"env.proxy_log", log, Callable::Always>(),
          hostFunction<"env.proxy_get_log_level", getLogLevel>(),
          hostFunction<"env.proxy_get_configuration", getConfiguration>(),
          hostFunction<"env.proxy_get_status", getStatus>(),
          hostFunction<"env.proxy_set_tick_period_milliseconds", setTickPeriod>(),
          hostFunction<"env.proxy_get_current_time_nanoseconds", getTime>(),
          hostFunction<"env.proxy_set_effective_context", setEffectiveContext>(),
          hostFunction<"env.proxy_done", done>(),
          hostFunction<"env.pthread_equal", pthreadEqual, Callable::Always>(),
          hostFunction<"env.emscripten_notify_memory_growth", memoryGrew, Callable::Always>(),
          hostFunction<"env.abort", abort, Callable::Always>()};
}

}  // namespace weir::proxy_wasm
