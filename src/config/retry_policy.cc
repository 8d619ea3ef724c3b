// envoy.config.route.v3.RetryPolicy.
#include <envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.pb.h>

#include "config/support.h"
#include "config/values.h"

namespace weir::config {
namespace {

namespace v3 = envoy::config::route::v3;
using envoy::extensions::retry::host::previous_hosts::v3::PreviousHostsPredicate;

constexpr std::string_view kOldPreviousHosts = "envoy.retry_host_predicates.previous_hosts";

void convertBackOff(const v3::RetryPolicy::RetryBackOff& back_off, const Place& place, route::RetryPolicy& policy) {
  policy.base_interval = convertDuration(back_off.base_interval(), place.field("base_interval"));
  if (!back_off.has_max_interval()) return;
  policy.max_interval = convertDuration(back_off.max_interval(), place.field("max_interval"));
  if (*policy.max_interval < policy.base_interval) {
    place.field("max_interval").fault(FaultKind::Conflict, "must be greater than or equal to the base_interval");
  }
}

void convertRateLimited(const v3::RetryPolicy::RateLimitedRetryBackOff& back_off, const Place& place,
                        route::RetryPolicy& policy) {
  for (const auto& header : back_off.reset_headers()) {
    policy.reset_headers.push_back({header.name(), header.format() == v3::RetryPolicy::UNIX_TIMESTAMP});
  }
  if (back_off.has_max_interval()) {
    policy.reset_max_interval = convertDuration(back_off.max_interval(), place.field("max_interval"));
  }
}

void convertHostPredicates(const v3::RetryPolicy& policy, const Place& place, route::RetryPolicy& result) {
  for (int i = 0; i < policy.retry_host_predicate_size(); i++) {
    const auto& predicate = policy.retry_host_predicate(i);
    const bool by_name = !predicate.has_typed_config() && predicate.name() == kOldPreviousHosts;
    if (by_name || predicate.typed_config().Is<PreviousHostsPredicate>()) {
      result.avoid_previous_hosts = true;
      continue;
    }
    const std::string& url = predicate.typed_config().type_url();
    place.item("retry_host_predicate", static_cast<size_t>(i))
        .unsupported(fmt::format("the predicate {}", url.empty() ? predicate.name() : url.substr(url.rfind('/') + 1)));
  }
}

std::vector<route::HeaderMatch> convertHeaders(const google::protobuf::RepeatedPtrField<v3::HeaderMatcher>& matchers,
                                               const Place& place, std::string_view name) {
  std::vector<route::HeaderMatch> result;
  for (int i = 0; i < matchers.size(); i++) {
    result.push_back(convertHeaderMatch(matchers[i], place.item(name, static_cast<size_t>(i))));
  }
  return result;
}

}  // namespace

route::RetryPolicy convertRetryPolicy(const v3::RetryPolicy& policy, const Place& place) {
  route::RetryPolicy result;
  result.retry_on = policy.retry_on();
  if (policy.has_num_retries()) result.num_retries = policy.num_retries().value();
  if (policy.has_per_try_timeout()) {
    result.per_try_timeout = convertTimeout(policy.per_try_timeout(), place.field("per_try_timeout"));
  }
  if (policy.has_per_try_idle_timeout()) {
    result.per_try_idle_timeout = convertTimeout(policy.per_try_idle_timeout(), place.field("per_try_idle_timeout"));
  }
  if (policy.has_retry_back_off()) convertBackOff(policy.retry_back_off(), place.field("retry_back_off"), result);
  if (policy.has_rate_limited_retry_back_off()) {
    convertRateLimited(policy.rate_limited_retry_back_off(), place.field("rate_limited_retry_back_off"), result);
  }
  convertHostPredicates(policy, place, result);
  result.retriable_status_codes.assign(policy.retriable_status_codes().begin(), policy.retriable_status_codes().end());
  result.retriable_headers = convertHeaders(policy.retriable_headers(), place, "retriable_headers");
  result.retriable_request_headers =
      convertHeaders(policy.retriable_request_headers(), place, "retriable_request_headers");
  return result;
}

const SupportTables& retrySupport() {
  static const SupportTables kTables{
      {"envoy.config.route.v3.RetryPolicy",
       {{"retry_on"},
        {"num_retries"},
        {"per_try_timeout"},
        {"per_try_idle_timeout"},
        {"retry_host_predicate"},
        {"retriable_status_codes"},
        {"retry_back_off"},
        {"rate_limited_retry_back_off"},
        {"retriable_headers"},
        {"retriable_request_headers"},
        noEffect("host_selection_retry_max_attempts",
                 "an endpoint that has not been tried is found without drawing again and again"),
        refused("retry_priority", "retries go by the priorities of the cluster"),
        refused("retry_options_predicates", "Envoy has no such predicates of its own"),
        refused("refresh_cluster_on_retry", "the cluster is chosen once")}},
      {"envoy.config.route.v3.RetryPolicy.RetryBackOff", {{"base_interval"}, {"max_interval"}}},
      {"envoy.config.route.v3.RetryPolicy.RateLimitedRetryBackOff", {{"reset_headers"}, {"max_interval"}}},
      {"envoy.config.route.v3.RetryPolicy.ResetHeader", {{"name"}, {"format"}}},
      {"envoy.config.route.v3.RetryPolicy.RetryHostPredicate", {{"name"}, {"typed_config"}}},
      {"envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate", {}},
  };
  return kTables;
}

}  // namespace weir::config
