// What the admin pages show and what they set off: given by whoever assembles the server, faked by tests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "config/spec.h"
#include "net/address.h"
#include "upstream/endpoint_state.h"
#include "upstream/spec.h"

namespace weir::server {

enum class ServerState : uint8_t { Live, Draining, PreInitializing, Initializing };

struct ListenerStatus {
  std::string name;
  net::Address address;  // As bound.
};

// Sums over all workers.
struct EndpointStatus {
  net::Address address;
  std::string hostname;
  uint32_t weight = 1;
  uint32_t priority = 0;
  upstream::Locality locality;
  uint32_t flags = 0;        // upstream::HealthFlag
  double success_rate = -1;  // Percent; -1: not known.
  double local_success_rate = -1;
  uint64_t cx_active = 0;
  uint64_t cx_connect_fail = 0;
  uint64_t cx_total = 0;
  uint64_t rq_active = 0;
  uint64_t rq_error = 0;
  uint64_t rq_pending_active = 0;
  uint64_t rq_success = 0;
  uint64_t rq_timeout = 0;
  uint64_t rq_total = 0;
};

struct ClusterStatus {
  std::string name;
  std::string observability_name;  // alt_stat_name, or else the name.
  upstream::BreakerSpec breakers;
  upstream::BreakerSpec high_breakers;
  std::vector<EndpointStatus> endpoints;
};

// What does not change while the process runs.
struct ServerFacts {
  std::string version;
  // Names and values as in Envoy's /server_info.
  std::vector<std::pair<std::string, std::string>> command_line;
  std::string bootstrap;  // JSON; its "node" is shown by /server_info too.
  base::WallTime started;
  std::string hot_restart_version = "disabled";
  config::RuntimeDump runtime;
};

// A resource, where it came from and since when.
struct ResourceStatus {
  std::string name;
  std::string version;  // Of the response that brought it.
  std::string dump;     // JSON with "@type".
  base::WallTime updated{};
  bool dynamic = false;  // From a file, not the bootstrap.
  bool draining = false;
};

// The last response that was refused.
struct ResourceError {
  std::string version;
  std::string details;
  base::WallTime attempt{};
};

struct DiscoveryStatus {
  std::string clusters_version;
  std::string listeners_version;
  std::optional<ResourceError> listeners_error;
  std::vector<ResourceStatus> clusters;
  std::vector<ResourceStatus> endpoints;
  std::vector<ResourceStatus> listeners;
  std::vector<ResourceStatus> routes;
};

// /drain_listeners and its parameters.
struct DrainRequest {
  bool graceful = false;
  bool skip_exit = false;
  bool inbound_only = false;
};

// Called on the main thread.
class AdminSource {
 public:
  virtual const ServerFacts& facts() const = 0;
  virtual ServerState state() const = 0;
  virtual std::vector<ListenerStatus> listeners() const = 0;
  virtual std::vector<ClusterStatus> clusters() = 0;
  virtual DiscoveryStatus discovery() const = 0;
  // What does not work as configured while the process serves, for people, a line each.
  virtual std::vector<std::string> degraded() { return {}; }
  virtual void drainListeners(const DrainRequest& request) = 0;
  // While failed, /ready says DRAINING.
  virtual void failHealthChecks(bool fail) = 0;
  // Opens the access logs anew: their files were moved away.
  virtual void reopenLogs() {}
  // Ends the process; called after the answer has been handed to the kernel.
  virtual void quit() = 0;

 protected:
  ~AdminSource() = default;
};

}  // namespace weir::server
