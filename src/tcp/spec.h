// Network filters other than HTTP as configuration gives them: plain data, after envoy.extensions.filters.network.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "access_log/spec.h"
#include "base/clock.h"

namespace weir::tcp {

struct WeightedCluster {
  std::string name;
  uint32_t weight = 1;
};

struct ProxySpec {
  std::string stat_prefix = {};
  std::vector<WeightedCluster> clusters = {};  // One, or chosen among by weight.
  std::optional<base::Duration> idle_timeout = std::chrono::hours(1);
  std::optional<base::Duration> max_connection_duration = std::nullopt;  // max_downstream_connection_duration
  uint32_t max_connect_attempts = 1;
  // Bytes of the client that are taken before the upstream is there; nothing: it is not read till then.
  std::optional<size_t> max_early_data = std::nullopt;
  bool connect_on_data = false;      // upstream_connect_mode ON_DOWNSTREAM_DATA
  bool hash_source_address = false;  // hash_policy source_ip
  std::vector<access_log::LogSpec> access_logs = {};
  access_log::LogOptions log_options = {};
};

struct EchoSpec {};

struct DirectResponseSpec {
  std::string response;
};

// The cluster of the TCP proxy behind it is the one that the client's server name says.
struct SniClusterSpec {};

}  // namespace weir::tcp
