// weir.plugins.v1.PluginLimits: a bootstrap extension of ours.
#include "config/convert.h"
#include "config/support.h"
#include "config/values.h"

namespace weir::config {
namespace {

using google::protobuf::UInt32Value;
using google::protobuf::UInt64Value;
using plugins::v1::Limits;

std::optional<base::Duration> timeOf(bool given, const google::protobuf::Duration& duration, const Place& place) {
  if (!given) return std::nullopt;
  const base::Duration time = convertDuration(duration, place);
  if (time < std::chrono::milliseconds(1)) place.fault(FaultKind::Rule, "must be at least 0.001s");
  return time;
}

template <typename Value>
std::optional<uint64_t> numberOf(bool given, const Value& value) {
  return given ? std::optional<uint64_t>(value.value()) : std::nullopt;
}

proxy_wasm::BudgetChange convertLimits(const Limits& limits, const Place& place) {
  proxy_wasm::BudgetChange change;
  change.stream_callback = timeOf(limits.has_call_time(), limits.call_time(), place.field("call_time"));
  change.start = timeOf(limits.has_start_time(), limits.start_time(), place.field("start_time"));
  if (limits.has_pause_time()) change.pause = convertDuration(limits.pause_time(), place.field("pause_time"));
  change.memory_bytes = numberOf(limits.has_memory_bytes(), limits.memory_bytes());
  if (change.memory_bytes == 0u) place.field("memory_bytes").fault(FaultKind::Rule, "must be greater than 0");
  change.log_bytes_per_second = numberOf(limits.has_log_bytes_per_second(), limits.log_bytes_per_second());
  change.shared_data_bytes = numberOf(limits.has_shared_data_bytes(), limits.shared_data_bytes());
  change.body_bytes = numberOf(limits.has_body_bytes(), limits.body_bytes());
  change.queue_bytes = numberOf(limits.has_queue_bytes(), limits.queue_bytes());
  change.pending_calls = numberOf(limits.has_pending_calls(), limits.pending_calls());
  change.pending_grpc = numberOf(limits.has_pending_grpc(), limits.pending_grpc());
  change.metrics = numberOf(limits.has_metrics(), limits.metrics());
  if (limits.has_instance_per_stream()) change.instance_per_stream = limits.instance_per_stream().value();
  if (limits.has_instances()) change.instances = limits.instances().value();
  if (limits.has_other_plugins()) change.other_plugins = limits.other_plugins().value();
  return change;
}

}  // namespace

proxy_wasm::BudgetRules convertPluginLimits(const plugins::v1::PluginLimits& limits, const Place& place) {
  proxy_wasm::BudgetRules rules;
  rules.defaults = convertLimits(limits.defaults(), place.field("defaults"));
  for (const auto& [name, of_name] : limits.by_plugin()) {
    rules.by_plugin[name] = convertLimits(of_name, place.field("by_plugin").key(name));
  }
  return rules;
}

}  // namespace weir::config
