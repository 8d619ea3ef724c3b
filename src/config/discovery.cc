#include "config/discovery.h"

#include <envoy/service/discovery/v3/discovery.pb.h>

#include <set>

#include "config/convert.h"
#include "config/inspect.h"
#include "config/known_types.h"
#include "config/message_file.h"
#include "config/values.h"

namespace weir::config {
namespace {

using Response = envoy::service::discovery::v3::DiscoveryResponse;

// Its faults were told when the bootstrap was read.
Runtime runtimeOf(const DiscoverOptions& options) {
  envoy::config::bootstrap::v3::LayeredRuntime layers;
  if (!layers.ParseFromString(options.layered_runtime)) layers.Clear();
  Report report;
  return Runtime::read(layers, Place(report, ""));
}

// Reads every resource of a response as messages of one type.
class ResourceReader {
 public:
  ResourceReader(Response& response, Report& report, const DiscoverOptions& options)
      : response_(response),
        report_(report),
        runtime_(runtimeOf(options)),
        conversion_{options.load, runtime_, {}},
        allow_unknown_(options.allow_unknown_fields) {
    for (const std::string& bytes : options.secrets) {
      envoy::extensions::transport_sockets::tls::v3::Secret secret;
      if (secret.ParseFromString(bytes)) conversion_.secrets.emplace(secret.name(), secret);
    }
  }

  Conversion& conversion() { return conversion_; }

  template <typename Message, typename Spec, typename NameOf, typename Convert>
  void read(std::string_view name_field, NameOf name_of, Convert convert, std::vector<Resource<Spec>>& out) {
    std::set<std::string> names;
    for (int i = 0; i < response_.resources_size(); i++) {
      google::protobuf::Any& any = *response_.mutable_resources(i);
      const Place place = Place(report_, "").item("resources", static_cast<size_t>(i));
      const auto typed = unpack<Message>(any, place, "a resource");
      if (!typed) continue;
      inspect(any, place, allow_unknown_);
      Message message;
      if (!any.UnpackTo(&message)) continue;
      runtime_.apply(message);
      const std::string name = name_of(message);
      if (name.empty()) place.field(name_field).fault(FaultKind::Rule, "is required: updates go by it");
      if (!names.insert(name).second) {
        place.field(name_field).fault(FaultKind::Conflict, fmt::format("'{}' stands twice in this response", name));
      }
      out.push_back({name, convert(message, place), dumped(any), serialized(any)});
    }
  }

  void checkReferences(const std::function<bool(std::string_view)>& knows_cluster) const {
    for (const Conversion::ClusterReference& reference : conversion_.cluster_references) {
      if (reference.cluster.empty() || !knows_cluster || knows_cluster(reference.cluster)) continue;
      reference.place.fault(FaultKind::Conflict, fmt::format("unknown cluster '{}'", reference.cluster));
    }
  }

 private:
  Response& response_;
  Report& report_;
  const Runtime runtime_;
  Conversion conversion_;
  bool allow_unknown_;
};

void readClusters(ResourceReader& reader, Discovered& out) {
  using Cluster = envoy::config::cluster::v3::Cluster;
  reader.read<Cluster>(
      "name", [](const Cluster& cluster) { return cluster.name(); },
      [&](const Cluster& cluster, const Place& place) { return convertCluster(cluster, place, reader.conversion()); },
      out.clusters);
}

void readEndpoints(ResourceReader& reader, Discovered& out) {
  using Assignment = envoy::config::endpoint::v3::ClusterLoadAssignment;
  reader.read<Assignment>(
      "cluster_name", [](const Assignment& assignment) { return assignment.cluster_name(); },
      [](const Assignment& assignment, const Place& place) {
        return convertAssignment(assignment, upstream::Discovery::Assigned, place);
      },
      out.endpoints);
}

void readListeners(ResourceReader& reader, const DiscoverOptions& options, Discovered& out) {
  using Listener = envoy::config::listener::v3::Listener;
  reader.read<Listener>(
      "name", [](const Listener& listener) { return listener.name(); },
      [&](const Listener& listener, const Place& place) {
        return convertListener(listener, place, reader.conversion());
      },
      out.listeners);
  reader.checkReferences(options.knows_cluster);
}

// As Envoy: routes that come by themselves may lead to clusters that are still to come.
void readRoutes(ResourceReader& reader, Discovered& out) {
  using Routes = envoy::config::route::v3::RouteConfiguration;
  reader.read<Routes>(
      "name", [](const Routes& routes) { return routes.name(); },
      [&](const Routes& routes, const Place& place) { return convertRouteConfig(routes, place, reader.conversion()); },
      out.routes);
}

}  // namespace

DiscoverOutcome discover(const std::string& path, ResourceKind kind, const DiscoverOptions& options) {
  linkKnownTypes();
  Report report;
  DiscoverOutcome outcome;
  Response response;
  outcome.readable = readMessageFile(path, options.allow_unknown_fields, report, response);
  if (outcome.readable) {
    outcome.version = response.version_info();
    Discovered found;
    found.version = response.version_info();
    ResourceReader reader(response, report, options);
    switch (kind) {
      case ResourceKind::Cluster: readClusters(reader, found); break;
      case ResourceKind::Endpoints: readEndpoints(reader, found); break;
      case ResourceKind::Listener: readListeners(reader, options, found); break;
      case ResourceKind::Routes: readRoutes(reader, found); break;
    }
    if (report.clean()) outcome.resources = std::move(found);
  }
  outcome.faults = report.takeFaults();
  outcome.notices = report.takeNotices();
  return outcome;
}

}  // namespace weir::config
