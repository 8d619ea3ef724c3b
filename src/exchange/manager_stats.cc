#include "exchange/manager_stats.h"

#include <fmt/core.h>

namespace weir::exchange {
namespace {

// Makes the stats of one prefix: http.<stat_prefix>.<name>.
struct Maker {
  stats::Store& store;
  std::string_view prefix;
  stats::Counter& counter(std::string_view name) const {
    return store.counter(fmt::format("http.{}.{}", prefix, name));
  }
  stats::Gauge& gauge(std::string_view name) const { return store.gauge(fmt::format("http.{}.{}", prefix, name)); }
  stats::Histogram& histogram(std::string_view name) const {
    return store.histogram(fmt::format("http.{}.{}", prefix, name));
  }
};

}  // namespace

ManagerStats::ManagerStats(stats::Store& store, std::string_view stat_prefix)
    : downstream_cx_total(Maker{store, stat_prefix}.counter("downstream_cx_total")),
      downstream_cx_http1_total(Maker{store, stat_prefix}.counter("downstream_cx_http1_total")),
      downstream_cx_http2_total(Maker{store, stat_prefix}.counter("downstream_cx_http2_total")),
      downstream_cx_upgrades_total(Maker{store, stat_prefix}.counter("downstream_cx_upgrades_total")),
      downstream_cx_destroy(Maker{store, stat_prefix}.counter("downstream_cx_destroy")),
      downstream_cx_destroy_local(Maker{store, stat_prefix}.counter("downstream_cx_destroy_local")),
      downstream_cx_destroy_remote(Maker{store, stat_prefix}.counter("downstream_cx_destroy_remote")),
      downstream_cx_destroy_active_rq(Maker{store, stat_prefix}.counter("downstream_cx_destroy_active_rq")),
      downstream_cx_destroy_local_active_rq(Maker{store, stat_prefix}.counter("downstream_cx_destroy_local_active_rq")),
      downstream_cx_destroy_remote_active_rq(
          Maker{store, stat_prefix}.counter("downstream_cx_destroy_remote_active_rq")),
      downstream_cx_protocol_error(Maker{store, stat_prefix}.counter("downstream_cx_protocol_error")),
      downstream_cx_ssl_total(Maker{store, stat_prefix}.counter("downstream_cx_ssl_total")),
      downstream_cx_idle_timeout(Maker{store, stat_prefix}.counter("downstream_cx_idle_timeout")),
      downstream_cx_max_duration_reached(Maker{store, stat_prefix}.counter("downstream_cx_max_duration_reached")),
      downstream_cx_max_requests_reached(Maker{store, stat_prefix}.counter("downstream_cx_max_requests_reached")),
      downstream_cx_drain_close(Maker{store, stat_prefix}.counter("downstream_cx_drain_close")),
      downstream_cx_rx_bytes_total(Maker{store, stat_prefix}.counter("downstream_cx_rx_bytes_total")),
      downstream_cx_tx_bytes_total(Maker{store, stat_prefix}.counter("downstream_cx_tx_bytes_total")),
      downstream_rq_total(Maker{store, stat_prefix}.counter("downstream_rq_total")),
      downstream_rq_http1_total(Maker{store, stat_prefix}.counter("downstream_rq_http1_total")),
      downstream_rq_http2_total(Maker{store, stat_prefix}.counter("downstream_rq_http2_total")),
      downstream_rq_too_many_premature_resets(
          Maker{store, stat_prefix}.counter("downstream_rq_too_many_premature_resets")),
      downstream_rq_completed(Maker{store, stat_prefix}.counter("downstream_rq_completed")),
      downstream_rq_1xx(Maker{store, stat_prefix}.counter("downstream_rq_1xx")),
      downstream_rq_2xx(Maker{store, stat_prefix}.counter("downstream_rq_2xx")),
      downstream_rq_3xx(Maker{store, stat_prefix}.counter("downstream_rq_3xx")),
      downstream_rq_4xx(Maker{store, stat_prefix}.counter("downstream_rq_4xx")),
      downstream_rq_5xx(Maker{store, stat_prefix}.counter("downstream_rq_5xx")),
      downstream_rq_rx_reset(Maker{store, stat_prefix}.counter("downstream_rq_rx_reset")),
      downstream_rq_tx_reset(Maker{store, stat_prefix}.counter("downstream_rq_tx_reset")),
      downstream_rq_timeout(Maker{store, stat_prefix}.counter("downstream_rq_timeout")),
      downstream_rq_header_timeout(Maker{store, stat_prefix}.counter("downstream_rq_header_timeout")),
      downstream_rq_idle_timeout(Maker{store, stat_prefix}.counter("downstream_rq_idle_timeout")),
      downstream_rq_max_duration_reached(Maker{store, stat_prefix}.counter("downstream_rq_max_duration_reached")),
      downstream_rq_too_large(Maker{store, stat_prefix}.counter("downstream_rq_too_large")),
      downstream_rq_ws_on_non_ws_route(Maker{store, stat_prefix}.counter("downstream_rq_ws_on_non_ws_route")),
      downstream_rq_non_relative_path(Maker{store, stat_prefix}.counter("downstream_rq_non_relative_path")),
      dropped_headers_with_underscores(store.counter("http1.dropped_headers_with_underscores")),
      requests_rejected_with_underscores(store.counter("http1.requests_rejected_with_underscores_in_headers")),
      no_route(Maker{store, stat_prefix}.counter("no_route")),
      no_cluster(Maker{store, stat_prefix}.counter("no_cluster")),
      rq_direct_response(Maker{store, stat_prefix}.counter("rq_direct_response")),
      rq_redirect(Maker{store, stat_prefix}.counter("rq_redirect")),
      rq_total(Maker{store, stat_prefix}.counter("rq_total")),
      downstream_cx_active(Maker{store, stat_prefix}.gauge("downstream_cx_active")),
      downstream_cx_ssl_active(Maker{store, stat_prefix}.gauge("downstream_cx_ssl_active")),
      downstream_cx_http1_active(Maker{store, stat_prefix}.gauge("downstream_cx_http1_active")),
      downstream_cx_http2_active(Maker{store, stat_prefix}.gauge("downstream_cx_http2_active")),
      downstream_cx_upgrades_active(Maker{store, stat_prefix}.gauge("downstream_cx_upgrades_active")),
      downstream_rq_active(Maker{store, stat_prefix}.gauge("downstream_rq_active")),
      downstream_rq_time(Maker{store, stat_prefix}.histogram("downstream_rq_time")),
      downstream_cx_length_ms(Maker{store, stat_prefix}.histogram("downstream_cx_length_ms")),
      http2(store, "http2.") {}

void ManagerStats::countResponse(int status) {
  downstream_rq_completed.add();
  switch (status / 100) {
    case 1: downstream_rq_1xx.add(); break;
    case 2: downstream_rq_2xx.add(); break;
    case 3: downstream_rq_3xx.add(); break;
    case 4: downstream_rq_4xx.add(); break;
    case 5: downstream_rq_5xx.add(); break;
    default: break;  // Outside HTTP's classes: in none of them, as Envoy counts.
  }
}

}  // namespace weir::exchange
