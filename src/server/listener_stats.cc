#include "server/listener_stats.h"

#include <fmt/core.h>

#include <algorithm>

namespace weir::server {

std::string ListenerStats::prefix(const std::string& address, const std::string& stat_prefix) {
  std::string middle = stat_prefix.empty() ? address : stat_prefix;
  if (stat_prefix.empty()) std::replace(middle.begin(), middle.end(), ':', '_');
  return fmt::format("listener.{}.", middle);
}

ListenerStats::ListenerStats(stats::Store& store, const std::string& address, const std::string& stat_prefix)
    : ListenerStats(store, prefix(address, stat_prefix)) {}

ListenerStats::ListenerStats(stats::Store& store, const std::string& start)
    : downstream_cx_total(store.counter(start + "downstream_cx_total")),
      downstream_cx_destroy(store.counter(start + "downstream_cx_destroy")),
      downstream_cx_overflow(store.counter(start + "downstream_cx_overflow")),
      downstream_cx_transport_socket_connect_timeout(
          store.counter(start + "downstream_cx_transport_socket_connect_timeout")),
      downstream_cx_active(store.gauge(start + "downstream_cx_active")),
      downstream_cx_length_ms(store.histogram(start + "downstream_cx_length_ms")),
      downstream_pre_cx_active(store.gauge(start + "downstream_pre_cx_active")),
      downstream_pre_cx_timeout(store.counter(start + "downstream_pre_cx_timeout")),
      downstream_listener_filter_remote_close(store.counter(start + "downstream_listener_filter_remote_close")),
      downstream_listener_filter_error(store.counter(start + "downstream_listener_filter_error")),
      no_filter_chain_match(store.counter(start + "no_filter_chain_match")),
      downstream_global_cx_overflow(store.counter(start + "downstream_global_cx_overflow")),
      start(start) {}

WorkerListenerStats::WorkerListenerStats(stats::Store& store, const ListenerStats& listener, uint32_t worker)
    : downstream_cx_total(store.counter(fmt::format("{}worker_{}.downstream_cx_total", listener.start, worker))),
      downstream_cx_active(store.gauge(fmt::format("{}worker_{}.downstream_cx_active", listener.start, worker))) {}

}  // namespace weir::server
