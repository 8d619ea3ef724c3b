#include "server/listener_stats.h"

#include <fmt/core.h>

#include <algorithm>

namespace weir::server {
namespace {

std::string statName(const std::string& address, const std::string& stat_prefix, std::string_view name) {
  return ListenerStats::prefix(address, stat_prefix) + std::string(name);
}

}  // namespace

std::string ListenerStats::prefix(const std::string& address, const std::string& stat_prefix) {
  std::string middle = stat_prefix.empty() ? address : stat_prefix;
  if (stat_prefix.empty()) std::replace(middle.begin(), middle.end(), ':', '_');
  return fmt::format("listener.{}.", middle);
}

ListenerStats::ListenerStats(stats::Store& store, const std::string& address, const std::string& stat_prefix)
    : downstream_cx_total(store.counter(statName(address, stat_prefix, "downstream_cx_total"))),
      downstream_cx_destroy(store.counter(statName(address, stat_prefix, "downstream_cx_destroy"))),
      downstream_cx_overflow(store.counter(statName(address, stat_prefix, "downstream_cx_overflow"))),
      downstream_cx_transport_socket_connect_timeout(
          store.counter(statName(address, stat_prefix, "downstream_cx_transport_socket_connect_timeout"))),
      downstream_cx_active(store.gauge(statName(address, stat_prefix, "downstream_cx_active"))) {}

}  // namespace weir::server
