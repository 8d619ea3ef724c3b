// How a cluster's endpoints are checked and judged, as configuration gives it: plain data with Envoy's defaults.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace weir::upstream {

// What x-envoy-upstream-healthchecked-cluster must say.
struct ServiceNameMatch {
  enum class How : uint8_t { Exact, Prefix, Suffix, Contains };
  How how = How::Exact;
  std::string text;
  bool ignore_case = false;
};

// envoy.config.core.v3.HealthCheck.
struct HealthCheckSpec {
  enum class Kind : uint8_t { Http, Tcp, Grpc };
  struct StatusRange {  // [first, end)
    int first = 0;
    int end = 0;
  };

  struct AddedHeader {
    enum class How : uint8_t { Append, IfAbsent, Set, SetIfPresent };
    std::string name;
    std::string value;
    How how = How::Append;
  };

  Kind kind = Kind::Http;
  base::Duration timeout{};
  base::Duration interval{};
  base::Duration initial_jitter{};
  base::Duration interval_jitter{};
  uint32_t interval_jitter_percent = 0;
  uint32_t unhealthy_threshold = 1;
  uint32_t healthy_threshold = 1;
  bool reuse_connection = true;
  // While the cluster has never had a connection.
  base::Duration no_traffic_interval = std::chrono::seconds(60);
  base::Duration no_traffic_healthy_interval = std::chrono::seconds(60);
  // After a failure; and at the edges, while a change of health waits for its threshold.
  base::Duration unhealthy_interval{};
  base::Duration unhealthy_edge_interval{};
  base::Duration healthy_edge_interval{};

  // HTTP.
  std::string host;  // Empty: the endpoint's own, or else the cluster's name.
  std::string path;
  std::string method = "GET";
  std::vector<StatusRange> expected{{200, 201}};
  std::vector<StatusRange> retriable{};
  bool http2 = false;
  std::vector<std::string> headers_to_remove{};
  std::optional<ServiceNameMatch> service_name{};
  // HTTP and gRPC.
  std::vector<AddedHeader> headers_to_add{};
  // HTTP and TCP: bytes to send, and what must come, in this order. Empty: none.
  std::string send;
  std::vector<std::string> receive{};
  // gRPC.
  std::string grpc_service;    // Empty: the server as a whole.
  std::string grpc_authority;  // As host.
};

// envoy.config.cluster.v3.OutlierDetection.
struct OutlierSpec {
  base::Duration interval = std::chrono::seconds(10);
  base::Duration base_ejection_time = std::chrono::seconds(30);
  base::Duration max_ejection_time = std::chrono::seconds(300);
  base::Duration max_ejection_time_jitter{};
  uint32_t max_ejection_percent = 10;
  bool always_eject_one = false;
  bool split_local_origin = false;
  bool active_check_unejects = true;  // successful_active_health_check_uneject_host

  uint32_t consecutive_5xx = 5;
  uint32_t consecutive_gateway_failure = 5;
  uint32_t consecutive_local_origin_failure = 5;
  uint32_t enforcing_consecutive_5xx = 100;
  uint32_t enforcing_consecutive_gateway_failure = 0;
  uint32_t enforcing_consecutive_local_origin_failure = 100;

  uint32_t success_rate_minimum_hosts = 5;
  uint32_t success_rate_request_volume = 100;
  uint32_t success_rate_stdev_factor = 1900;
  uint32_t enforcing_success_rate = 100;
  uint32_t enforcing_local_origin_success_rate = 100;

  uint32_t failure_percentage_threshold = 85;
  uint32_t failure_percentage_minimum_hosts = 5;
  uint32_t failure_percentage_request_volume = 50;
  uint32_t enforcing_failure_percentage = 0;
  uint32_t enforcing_failure_percentage_local_origin = 0;
};

}  // namespace weir::upstream
