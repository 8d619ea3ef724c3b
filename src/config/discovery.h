// A file of discovered resources: a DiscoveryResponse in, specs out, or everything that is wrong with it.
//
// The same way as the bootstrap goes (load.h), with the same faults by path and line. Runs on one thread, blocks on the
// files it reads, keeps nothing.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"

namespace weir::config {

enum class ResourceKind : uint8_t { Cluster, Endpoints, Listener, Routes };

template <typename Spec>
struct Resource {
  std::string name;
  Spec spec;
  std::string dump;   // As JSON with "@type", for /config_dump.
  std::string bytes;  // Equal for equal configurations.
};

// Of the four lists the one of the kind that was asked for is filled.
struct Discovered {
  std::string version;
  std::vector<Resource<upstream::ClusterSpec>> clusters;
  std::vector<Resource<upstream::Assignment>> endpoints;
  std::vector<Resource<ListenerSpec>> listeners;
  std::vector<Resource<route::RouteConfig>> routes;
};

struct DiscoverOptions {
  LoadOptions load;                  // For files and variables that resources name; its paths are not read.
  std::vector<std::string> secrets;  // Bootstrap::secrets
  std::string layered_runtime;       // Bootstrap::layered_runtime
  bool allow_unknown_fields = true;
  // Of the clusters there are; routes that are written in a listener must lead to one of them. Null: to any.
  std::function<bool(std::string_view)> knows_cluster;
};

struct DiscoverOutcome {
  std::optional<Discovered> resources;  // Only if there is no fault.
  bool readable = true;                 // False: the text is not even a response.
  std::string version;                  // What the response calls itself, if it was read.
  std::vector<Fault> faults;            // In the order of the text.
  std::vector<Notice> notices;
};

DiscoverOutcome discover(const std::string& path, ResourceKind kind, const DiscoverOptions& options);

}  // namespace weir::config
