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
  stats::Counter& downstream_cx_overflow;  // accept() failed for want of descriptors or memory.
  stats::Counter& downstream_cx_transport_socket_connect_timeout;
  stats::Gauge& downstream_cx_active;
};

}  // namespace weir::server
