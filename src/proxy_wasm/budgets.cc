#include "proxy_wasm/budgets.h"

#include <fmt/format.h>

namespace weir::proxy_wasm {
namespace {

template <typename T>
void put(const std::optional<T>& given, T& value) {
  if (given) value = *given;
}

void putNamed(const BudgetRules& rules, std::string_view plugin, Budgets& budgets) {
  const auto named = rules.by_plugin.find(plugin);
  if (named != rules.by_plugin.end()) named->second.applyTo(budgets);
}

}  // namespace

std::string Budgets::text() const {
  return fmt::format(
      "call {} ms, start {} ms, pause {} ms, memory {}, log {}/s, body {}, shared data {}, queue {}, calls {}, gRPC "
      "{}, metrics "
      "{}{}{}",
      base::milliseconds(stream_callback), base::milliseconds(start), base::milliseconds(pause), memory_bytes,
      log_bytes_per_second, body_bytes, shared_data_bytes, queue_bytes, pending_calls, pending_grpc, metrics,
      instance_per_stream ? fmt::format(", an instance per stream, {} at most", instances) : "",
      other_plugins ? ", other plugins' contexts" : "");
}

void BudgetChange::applyTo(Budgets& budgets) const {
  put(stream_callback, budgets.stream_callback);
  put(start, budgets.start);
  put(pause, budgets.pause);
  put(memory_bytes, budgets.memory_bytes);
  put(log_bytes_per_second, budgets.log_bytes_per_second);
  put(shared_data_bytes, budgets.shared_data_bytes);
  put(body_bytes, budgets.body_bytes);
  put(queue_bytes, budgets.queue_bytes);
  put(pending_calls, budgets.pending_calls);
  put(pending_grpc, budgets.pending_grpc);
  put(metrics, budgets.metrics);
  put(instance_per_stream, budgets.instance_per_stream);
  put(instances, budgets.instances);
  put(other_plugins, budgets.other_plugins);
}

Budgets BudgetTable::of(std::string_view plugin) const {
  Budgets budgets;
  configuration_.defaults.applyTo(budgets);
  command_line_.defaults.applyTo(budgets);
  putNamed(configuration_, plugin, budgets);
  putNamed(command_line_, plugin, budgets);
  return budgets;
}

}  // namespace weir::proxy_wasm
