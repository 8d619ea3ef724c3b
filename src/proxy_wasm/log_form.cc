#include "proxy_wasm/log_form.h"

#include <fmt/ranges.h>

#include "proxy_wasm/context.h"
#include "proxy_wasm/vm.h"

namespace weir::proxy_wasm {

std::string logPrefix(std::initializer_list<std::string_view> parts) {
  std::string prefix;
  for (const std::string_view part : parts) {
    if (part.empty()) continue;
    prefix += ' ';
    prefix += part;
  }
  return prefix;
}

void logFromGuest(const Context& context, base::LogLevel level, std::string_view text) {
  if (!base::logEnabled(base::LogComponent::Wasm, level)) return;
  const PluginCode& code = context.vm().code();
  const auto dropped = code.log_budget->take(text.size(), context.vm().environment().clock.monotonic());
  if (!dropped) return code.log_lines_dropped.add();
  if (*dropped > 0) {
    LOG(Wasm, Warning, "wasm log{}: {} lines above the plugin's budget were dropped", context.logPrefix(), *dropped);
  }
  base::writeLog(base::LogComponent::Wasm, level, __FILE__, __LINE__,
                 fmt::format("wasm log{}: {}", context.logPrefix(), text));
}

std::string failureText(std::string_view function, std::string_view why, std::string_view backtrace) {
  std::string text = fmt::format("Function: {} failed: {}", function, why);
  if (!backtrace.empty()) text += fmt::format("\nProxy-Wasm plugin in-VM backtrace:\n{}", backtrace);
  return text;
}

void traceCall(std::string_view direction, std::string_view function, std::span<const uint64_t> arguments) {
  LOG(Wasm, Trace, "{} {}({})", direction, function, fmt::join(arguments, ", "));
}

void traceReturn(std::string_view direction, std::string_view function, uint64_t result) {
  LOG(Wasm, Trace, "{} {} return: {}", direction, function, result);
}

void traceReturn(std::string_view direction, std::string_view function) {
  LOG(Wasm, Trace, "{} {} return: void", direction, function);
}

}  // namespace weir::proxy_wasm
