// The counters of one HTTP connection manager: http.<stat_prefix>.*, by Envoy's names. Shared by all workers.
#pragma once

#include <string_view>

#include "http2/stats.h"
#include "stats/stats.h"

namespace weir::exchange {

struct ManagerStats {
  ManagerStats(stats::Store& store, std::string_view stat_prefix);
  // Counts a final response by its class.
  void countResponse(int status);

  stats::Counter& downstream_cx_total;
  stats::Counter& downstream_cx_http1_total;
  stats::Counter& downstream_cx_http2_total;
  stats::Counter& downstream_cx_upgrades_total;
  stats::Counter& downstream_cx_destroy;
  stats::Counter& downstream_cx_destroy_local;
  stats::Counter& downstream_cx_destroy_remote;
  stats::Counter& downstream_cx_destroy_active_rq;
  stats::Counter& downstream_cx_destroy_local_active_rq;
  stats::Counter& downstream_cx_destroy_remote_active_rq;
  stats::Counter& downstream_cx_protocol_error;
  stats::Counter& downstream_cx_ssl_total;
  stats::Counter& downstream_cx_idle_timeout;
  stats::Counter& downstream_cx_max_duration_reached;
  stats::Counter& downstream_cx_max_requests_reached;
  stats::Counter& downstream_cx_drain_close;
  stats::Counter& downstream_cx_rx_bytes_total;
  stats::Counter& downstream_cx_tx_bytes_total;
  stats::Counter& downstream_rq_total;
  stats::Counter& downstream_rq_http1_total;
  stats::Counter& downstream_rq_http2_total;
  stats::Counter& downstream_rq_too_many_premature_resets;
  stats::Counter& downstream_rq_completed;
  stats::Counter& downstream_rq_1xx;
  stats::Counter& downstream_rq_2xx;
  stats::Counter& downstream_rq_3xx;
  stats::Counter& downstream_rq_4xx;
  stats::Counter& downstream_rq_5xx;
  stats::Counter& downstream_rq_rx_reset;
  stats::Counter& downstream_rq_tx_reset;
  stats::Counter& downstream_rq_timeout;
  stats::Counter& downstream_rq_header_timeout;
  stats::Counter& downstream_rq_idle_timeout;
  stats::Counter& downstream_rq_max_duration_reached;
  stats::Counter& downstream_rq_too_large;
  stats::Counter& downstream_rq_ws_on_non_ws_route;
  stats::Counter& downstream_rq_non_relative_path;
  stats::Counter& dropped_headers_with_underscores;    // http1.
  stats::Counter& requests_rejected_with_underscores;  // http1.
  stats::Counter& no_route;
  stats::Counter& no_cluster;
  stats::Counter& rq_direct_response;
  stats::Counter& rq_redirect;
  stats::Counter& rq_total;
  stats::Gauge& downstream_cx_active;
  stats::Gauge& downstream_cx_ssl_active;
  stats::Gauge& downstream_cx_http1_active;
  stats::Gauge& downstream_cx_http2_active;
  stats::Gauge& downstream_cx_upgrades_active;
  stats::Gauge& downstream_rq_active;
  stats::Histogram& downstream_rq_time;  // Milliseconds.
  stats::Histogram& downstream_cx_length_ms;
  http2::Stats http2;  // "http2.*", the same for all managers.
};

}  // namespace weir::exchange
