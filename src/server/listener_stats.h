// The counters of one listener: listener.<address>.*, by Envoy's names. Shared by all workers.
#pragma once

#include <string>

#include "stats/stats.h"

namespace weir::server {

struct ListenerStats {
  // "listener.127.0.0.1_80.", for what else counts for a listener.
  static std::string prefix(const std::string& address, const std::string& stat_prefix);
  // "127.0.0.1:80" becomes "listener.127.0.0.1_80."; stat_prefix, if configured, stands in its place.
  ListenerStats(stats::Store& store, const std::string& address, const std::string& stat_prefix);
  stats::Counter& downstream_cx_total;
  stats::Counter& downstream_cx_destroy;
  stats::Counter& downstream_cx_overflow;  // No descriptors or memory for it, or the listener's own limit.
  stats::Counter& downstream_cx_transport_socket_connect_timeout;
  stats::Gauge& downstream_cx_active;
  stats::Histogram& downstream_cx_length_ms;
  stats::Gauge& downstream_pre_cx_active;  // Among the listener filters.
  stats::Counter& downstream_pre_cx_timeout;
  stats::Counter& downstream_listener_filter_remote_close;
  stats::Counter& downstream_listener_filter_error;
  stats::Counter& no_filter_chain_match;
  stats::Counter& downstream_global_cx_overflow;
  const std::string start;  // The prefix.

 private:
  ListenerStats(stats::Store& store, const std::string& start);
};

// What each worker counts for itself: listener.<address>.worker_<n>.*
struct WorkerListenerStats {
  WorkerListenerStats(stats::Store& store, const ListenerStats& listener, uint32_t worker);
  stats::Counter& downstream_cx_total;
  stats::Gauge& downstream_cx_active;
};

}  // namespace weir::server
