// envoy.config.cluster.v3.OutlierDetection.
#include "config/cluster_parts.h"
#include "config/values.h"

namespace weir::config {

void convertOutlierDetection(const envoy::config::cluster::v3::OutlierDetection& detection, const Place& place,
                             upstream::ClusterSpec& cluster) {
  upstream::OutlierSpec& spec = cluster.outlier.emplace();
#define DURATION(name) \
  if (detection.has_##name()) spec.name = convertDuration(detection.name(), place.field(#name))
#define NUMBER(name) \
  if (detection.has_##name()) spec.name = detection.name().value()
  DURATION(interval);
  DURATION(base_ejection_time);
  // As Envoy: five minutes, or the base where that is more.
  spec.max_ejection_time = std::max(spec.max_ejection_time, spec.base_ejection_time);
  DURATION(max_ejection_time);
  DURATION(max_ejection_time_jitter);
  NUMBER(max_ejection_percent);
  NUMBER(consecutive_5xx);
  NUMBER(consecutive_gateway_failure);
  NUMBER(consecutive_local_origin_failure);
  NUMBER(enforcing_consecutive_5xx);
  NUMBER(enforcing_consecutive_gateway_failure);
  NUMBER(enforcing_consecutive_local_origin_failure);
  NUMBER(success_rate_minimum_hosts);
  NUMBER(success_rate_request_volume);
  NUMBER(success_rate_stdev_factor);
  NUMBER(enforcing_success_rate);
  NUMBER(enforcing_local_origin_success_rate);
  NUMBER(failure_percentage_threshold);
  NUMBER(failure_percentage_minimum_hosts);
  NUMBER(failure_percentage_request_volume);
  NUMBER(enforcing_failure_percentage);
  NUMBER(enforcing_failure_percentage_local_origin);
#undef DURATION
#undef NUMBER
  spec.split_local_origin = detection.split_external_local_origin_errors();
  if (detection.has_successful_active_health_check_uneject_host()) {
    spec.active_check_unejects = detection.successful_active_health_check_uneject_host().value();
  }
  if (detection.has_always_eject_one_host()) spec.always_eject_one = detection.always_eject_one_host().value();
  if (spec.max_ejection_time < spec.base_ejection_time) {
    place.field("max_ejection_time").fault(FaultKind::Conflict, "must be at least base_ejection_time");
  }
}

SupportTables outlierSupport() {
  return {{"envoy.config.cluster.v3.OutlierDetection",
           {{"interval"},
            {"base_ejection_time"},
            {"max_ejection_time"},
            {"max_ejection_time_jitter"},
            {"max_ejection_percent"},
            {"always_eject_one_host"},
            {"consecutive_5xx"},
            {"consecutive_gateway_failure"},
            {"consecutive_local_origin_failure"},
            {"enforcing_consecutive_5xx"},
            {"enforcing_consecutive_gateway_failure"},
            {"enforcing_consecutive_local_origin_failure"},
            {"split_external_local_origin_errors"},
            {"success_rate_minimum_hosts"},
            {"success_rate_request_volume"},
            {"success_rate_stdev_factor"},
            {"enforcing_success_rate"},
            {"enforcing_local_origin_success_rate"},
            {"failure_percentage_threshold"},
            {"failure_percentage_minimum_hosts"},
            {"failure_percentage_request_volume"},
            {"enforcing_failure_percentage"},
            {"enforcing_failure_percentage_local_origin"},
            {"successful_active_health_check_uneject_host"},
            refused("monitors", "there are no extensions that judge endpoints"),
            refused("detect_degraded_hosts", "only active checks find degraded endpoints")}}};
}

}  // namespace weir::config
