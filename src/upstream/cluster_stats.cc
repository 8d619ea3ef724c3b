#include "upstream/cluster.h"

namespace weir::upstream {
namespace {

// Creates stats of one cluster by their own names.
struct Names {
  stats::Counter& counter(std::string_view name) { return store.counter(prefix + std::string(name)); }
  stats::Gauge& gauge(std::string_view name) { return store.gauge(prefix + std::string(name)); }
  stats::Histogram& histogram(std::string_view name) { return store.histogram(prefix + std::string(name)); }
  stats::Store& store;
  std::string prefix;
};

Names namesOf(stats::Store& store, std::string_view stat_name) {
  return {store, "cluster." + std::string(stat_name) + "."};
}

}  // namespace

ClusterStats::ClusterStats(stats::Store& store, std::string_view stat_name)
#define COUNTER(name) name(namesOf(store, stat_name).counter(#name))
#define GAUGE(name) name(namesOf(store, stat_name).gauge(#name))
#define HISTOGRAM(name) name(namesOf(store, stat_name).histogram(#name))
    : COUNTER(upstream_cx_total),
      COUNTER(upstream_cx_http1_total),
      COUNTER(upstream_cx_http2_total),
      COUNTER(upstream_cx_close_notify),
      COUNTER(upstream_cx_connect_fail),
      COUNTER(upstream_cx_connect_timeout),
      COUNTER(upstream_cx_destroy),
      COUNTER(upstream_cx_destroy_remote),
      COUNTER(upstream_cx_destroy_local),
      COUNTER(upstream_cx_destroy_with_active_rq),
      COUNTER(upstream_cx_destroy_local_with_active_rq),
      COUNTER(upstream_cx_destroy_remote_with_active_rq),
      COUNTER(upstream_cx_idle_timeout),
      COUNTER(upstream_cx_max_requests),
      COUNTER(upstream_cx_protocol_error),
      COUNTER(upstream_cx_overflow),
      COUNTER(upstream_cx_none_healthy),
      COUNTER(upstream_cx_rx_bytes_total),
      COUNTER(upstream_cx_tx_bytes_total),
      COUNTER(upstream_rq_total),
      COUNTER(upstream_rq_completed),
      COUNTER(upstream_rq_1xx),
      COUNTER(upstream_rq_2xx),
      COUNTER(upstream_rq_3xx),
      COUNTER(upstream_rq_4xx),
      COUNTER(upstream_rq_5xx),
      COUNTER(upstream_rq_timeout),
      COUNTER(upstream_rq_retry),
      COUNTER(upstream_rq_retry_success),
      COUNTER(upstream_rq_retry_limit_exceeded),
      COUNTER(upstream_rq_retry_overflow),
      COUNTER(upstream_rq_retry_backoff_exponential),
      COUNTER(upstream_rq_retry_backoff_ratelimited),
      COUNTER(retry_or_shadow_abandoned),
      COUNTER(upstream_rq_per_try_timeout),
      COUNTER(upstream_rq_per_try_idle_timeout),
      COUNTER(upstream_rq_max_duration_reached),
      COUNTER(upstream_rq_pending_total),
      COUNTER(upstream_rq_pending_overflow),
      COUNTER(upstream_rq_pending_failure_eject),
      COUNTER(upstream_rq_rx_reset),
      COUNTER(upstream_rq_tx_reset),
      COUNTER(upstream_rq_cancelled),
      COUNTER(update_attempt),
      COUNTER(update_success),
      COUNTER(update_failure),
      COUNTER(membership_change),
      GAUGE(upstream_cx_active),
      GAUGE(upstream_rq_active),
      GAUGE(upstream_rq_pending_active),
      GAUGE(membership_total),
      GAUGE(membership_healthy),
      HISTOGRAM(upstream_rq_time),
      HISTOGRAM(upstream_cx_connect_ms),
      HISTOGRAM(upstream_cx_length_ms),
      store(store),
      prefix(namesOf(store, stat_name).prefix) {
  // What Envoy has for ways of balancing that are not built: always zero.
  for (const std::string_view name :
       {"lb_local_cluster_not_ok", "lb_recalculate_zone_structures", "lb_subsets_created", "lb_subsets_fallback",
        "lb_subsets_fallback_panic", "lb_subsets_removed", "lb_subsets_selected", "lb_zone_cluster_too_small",
        "lb_zone_no_capacity_left", "lb_zone_number_differs", "lb_zone_routing_all_directly",
        "lb_zone_routing_cross_zone", "lb_zone_routing_sampled"}) {
    store.counter(prefix + std::string(name));
  }
  store.gauge(prefix + "lb_subsets_active");
}
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM

http2::Stats& ClusterStats::http2() {
  if (http2_ == nullptr) http2_ = std::make_unique<http2::Stats>(store, prefix + "http2.");
  return *http2_;
}

void ClusterStats::countResponse(int status) {
  upstream_rq_completed.add();
  switch (status / 100) {
    case 1: upstream_rq_1xx.add(); break;
    case 2: upstream_rq_2xx.add(); break;
    case 3: upstream_rq_3xx.add(); break;
    case 4: upstream_rq_4xx.add(); break;
    case 5: upstream_rq_5xx.add(); break;
    default: break;
  }
  if (status < 100 || static_cast<size_t>(status) >= by_status_.size()) return;
  ByStatus& counters = by_status_[static_cast<size_t>(status)];
  if (counters.own == nullptr) {
    const std::string code = "upstream_rq_" + std::to_string(status);
    const std::string code_class = "upstream_rq_" + std::to_string(status / 100) + "xx";
    counters = {&store.counter(prefix + code), &store.counter(prefix + "external." + code),
                &store.counter(prefix + "external." + code_class),
                &store.counter(prefix + "external.upstream_rq_completed")};
  }
  counters.own->add();
  counters.external->add();
  counters.external_class->add();
  counters.external_completed->add();
}

void ClusterStats::countRetriedResponse(int status) {
  const std::string under = prefix + "retry.upstream_rq_";
  store.counter(under + "completed").add();
  store.counter(under + std::to_string(status / 100) + "xx").add();
  store.counter(under + std::to_string(status)).add();
}

}  // namespace weir::upstream
