// envoy.config.bootstrap.v3: the whole, and the checks that need the whole.
#include <envoy/extensions/resource_monitors/downstream_connections/v3/downstream_connections.pb.h>
#include <envoy/extensions/stat_sinks/wasm/v3/wasm.pb.h>
#include <re2/re2.h>

#include <map>
#include <set>
#include <utility>

#include "config/config_source.h"
#include "config/support.h"
#include "config/values.h"

namespace weir::config {
namespace {

namespace v3 = envoy::config::bootstrap::v3;
using envoy::extensions::resource_monitors::downstream_connections::v3::DownstreamConnectionsConfig;
using envoy::extensions::wasm::v3::WasmService;
using plugins::v1::PluginLimits;
using WasmSink = envoy::extensions::stat_sinks::wasm::v3::Wasm;

AdminSpec convertAdmin(const v3::Admin& admin, const Place& place) {
  AdminSpec spec;
  if (admin.has_address()) spec.address = convertAddress(admin.address(), place.field("address"));
  spec.access_log_path = admin.access_log_path();
  return spec;
}

void convertStats(const envoy::config::metrics::v3::StatsConfig& config, const Place& place, Bootstrap& out) {
  if (config.has_use_all_default_tags()) out.use_default_tags = config.use_all_default_tags().value();
  for (int i = 0; i < config.stats_tags_size(); i++) {
    const auto& tag = config.stats_tags(i);
    const Place here = place.item("stats_tags", static_cast<size_t>(i));
    if (tag.tag_value_case() == envoy::config::metrics::v3::TagSpecifier::kFixedValue) {
      out.fixed_tags.push_back({tag.tag_name(), tag.fixed_value()});
      continue;
    }
    const re2::RE2 compiled(tag.regex(), re2::RE2::Quiet);
    if (!compiled.ok()) {
      here.field("regex").fault(FaultKind::Rule, fmt::format("invalid regular expression: {}", compiled.error()));
    } else if (!tag.regex().empty() && compiled.NumberOfCapturingGroups() < 1) {
      here.field("regex").fault(FaultKind::Rule, "needs a group in parentheses: the tag's value");
    }
    // Without an expression the tag is one of Envoy's own, which are on already.
    if (!tag.regex().empty()) out.tag_rules.push_back({tag.tag_name(), tag.regex()});
  }
}

void checkListeners(const Bootstrap& bootstrap, const Place& place) {
  std::set<std::string> names;
  std::map<std::string, size_t> addresses;
  for (size_t i = 0; i < bootstrap.listeners.size(); i++) {
    const ListenerSpec& listener = bootstrap.listeners[i];
    const Place here = place.item("listeners", i);
    if (!listener.name.empty() && !names.insert(listener.name).second) {
      here.field("name").fault(FaultKind::Conflict, fmt::format("duplicate listener '{}'", listener.name));
    }
    const bool fixed = !listener.address.isIp() || listener.address.port() != 0;
    if (listener.address.family() == AF_UNSPEC || !fixed) continue;
    const auto [other, first] = addresses.emplace(listener.address.toString(), i);
    if (first) continue;
    here.field("address").fault(FaultKind::Conflict, fmt::format("{} is already the address of listeners[{}]",
                                                                 listener.address.toString(), other->second));
  }
}

std::set<std::string> checkClusters(const Bootstrap& bootstrap, const Place& place) {
  std::set<std::string> names;
  for (size_t i = 0; i < bootstrap.clusters.size(); i++) {
    const std::string& name = bootstrap.clusters[i].name;
    if (name.empty() || names.insert(name).second) continue;
    place.item("clusters", i).field("name").fault(FaultKind::Conflict, fmt::format("duplicate cluster '{}'", name));
  }
  return names;
}

void checkReferences(const Conversion& conversion, const std::set<std::string>& clusters) {
  for (const Conversion::ClusterReference& reference : conversion.cluster_references) {
    if (reference.cluster.empty() || clusters.contains(reference.cluster)) continue;
    reference.place.fault(FaultKind::Conflict, fmt::format("unknown cluster '{}'", reference.cluster));
  }
}

void convertDiscovery(const v3::Bootstrap::DynamicResources& dynamic, const Place& place, Bootstrap& out) {
  if (dynamic.has_lds_config()) out.lds = convertConfigSource(dynamic.lds_config(), place.field("lds_config"));
  if (dynamic.has_cds_config()) out.cds = convertConfigSource(dynamic.cds_config(), place.field("cds_config"));
}

// What runs besides listeners.
void convertServices(const v3::Bootstrap& bootstrap, const Place& place, const Conversion& conversion, Bootstrap& out) {
  const auto plugin = [&](const auto& message, const Place& here, bool singleton) {
    const Place config = here.field("config");
    if (!message.has_config()) config.fault(FaultKind::Rule, "is required");
    return proxy_wasm::ServiceSpec{convertPlugin(message.config(), config, conversion), singleton, here.path()};
  };
  for (int i = 0; i < bootstrap.bootstrap_extensions_size(); i++) {
    const Place here = place.item("bootstrap_extensions", static_cast<size_t>(i)).field("typed_config");
    const google::protobuf::Any& any = bootstrap.bootstrap_extensions(i).typed_config();
    if (any.Is<PluginLimits>()) continue;  // convertAllPluginLimits
    const auto service = unpack<WasmService>(any, here, "the extension's configuration");
    if (service) out.services.push_back(plugin(*service, here, service->singleton()));
  }
  for (int i = 0; i < bootstrap.stats_sinks_size(); i++) {
    const Place here = place.item("stats_sinks", static_cast<size_t>(i)).field("typed_config");
    const google::protobuf::Any& any = bootstrap.stats_sinks(i).typed_config();
    const auto sink = unpack<WasmSink>(any, here, "the sink's configuration");
    if (sink) out.stats_sinks.push_back(plugin(*sink, here, true));
  }
}

// When all plugins are known. Names of plugins that come with discovered resources are not.
void convertAllPluginLimits(const v3::Bootstrap& bootstrap, const Place& place, const Conversion& conversion,
                            Bootstrap& out) {
  bool given = false;
  for (int i = 0; i < bootstrap.bootstrap_extensions_size(); i++) {
    const Place here = place.item("bootstrap_extensions", static_cast<size_t>(i)).field("typed_config");
    PluginLimits limits;
    const google::protobuf::Any& any = bootstrap.bootstrap_extensions(i).typed_config();
    if (!any.Is<PluginLimits>() || !any.UnpackTo(&limits)) continue;
    if (std::exchange(given, true)) here.fault(FaultKind::Conflict, "there is one of it already");
    out.plugin_limits = convertPluginLimits(limits, here);
    for (const auto& [name, rules] : out.plugin_limits.by_plugin) {
      if (conversion.plugin_names.contains(name) || bootstrap.has_dynamic_resources()) continue;
      here.field("by_plugin").key(name).notice("accepted, without effect: no plugin has this name");
    }
  }
}

// As JSON with "@type", as resources are shown.
std::string dumpOf(const google::protobuf::Message& message) {
  google::protobuf::Any any;
  any.PackFrom(message);
  return dumped(any);
}

// As Envoy: the overload manager's word counts before the runtime key, which is older.
std::optional<uint64_t> convertConnectionLimit(const v3::Bootstrap& bootstrap, const Place& place,
                                               const Runtime& runtime) {
  std::optional<uint64_t> out = runtime.wholeNumber("overload.global_downstream_max_connections");
  const auto& monitors = bootstrap.overload_manager().resource_monitors();
  for (int i = 0; i < monitors.size(); ++i) {
    const Place here =
        place.field("overload_manager").item("resource_monitors", static_cast<size_t>(i)).field("typed_config");
    const auto limit = unpack<DownstreamConnectionsConfig>(monitors[i].typed_config(), here, "the monitor");
    if (limit) out = static_cast<uint64_t>(limit->max_active_downstream_connections());
  }
  return out;
}

}  // namespace

Bootstrap convertBootstrap(const v3::Bootstrap& bootstrap, const Place& place, Conversion& conversion) {
  Bootstrap out;
  out.node_id = bootstrap.node().id();
  out.node_cluster = bootstrap.node().cluster();
  out.node = serialized(bootstrap.node());
  out.admin = convertAdmin(bootstrap.admin(), place.field("admin"));
  convertStats(bootstrap.stats_config(), place.field("stats_config"), out);
  if (bootstrap.has_stats_flush_interval()) {
    out.stats_flush_interval = convertDuration(bootstrap.stats_flush_interval(), place.field("stats_flush_interval"));
  }
  convertServices(bootstrap, place, conversion, out);
  const Place resources = place.field("static_resources");
  const auto& fixed = bootstrap.static_resources();
  for (int i = 0; i < fixed.secrets_size(); i++) {
    out.secrets.push_back(serialized(fixed.secrets(i)));
    if (conversion.secrets.emplace(fixed.secrets(i).name(), fixed.secrets(i)).second) continue;
    resources.item("secrets", static_cast<size_t>(i))
        .field("name")
        .fault(FaultKind::Conflict, fmt::format("duplicate secret '{}'", fixed.secrets(i).name()));
  }
  for (int i = 0; i < fixed.listeners_size(); i++) {
    out.listeners.push_back(
        convertListener(fixed.listeners(i), resources.item("listeners", static_cast<size_t>(i)), conversion));
  }
  for (int i = 0; i < fixed.clusters_size(); i++) {
    out.clusters.push_back(
        convertCluster(fixed.clusters(i), resources.item("clusters", static_cast<size_t>(i)), conversion));
  }
  convertAllPluginLimits(bootstrap, place, conversion, out);
  out.max_connections = convertConnectionLimit(bootstrap, place, conversion.runtime);
  out.runtime = conversion.runtime.dump();
  out.layered_runtime = serialized(bootstrap.layered_runtime());
  convertDiscovery(bootstrap.dynamic_resources(), place.field("dynamic_resources"), out);
  checkListeners(out, resources);
  checkReferences(conversion, checkClusters(out, resources));
  return out;
}

void dumpBootstrap(const v3::Bootstrap& bootstrap, Bootstrap& out) {
  for (const auto& listener : bootstrap.static_resources().listeners()) out.listener_dumps.push_back(dumpOf(listener));
  for (const auto& cluster : bootstrap.static_resources().clusters()) out.cluster_dumps.push_back(dumpOf(cluster));
  out.dump = dumped(bootstrap);
}

const SupportTables& bootstrapSupport() {
  static constexpr std::string_view kNoAdminLog = "requests to the admin endpoint are not logged";
  static const SupportTables kTables{
      {"envoy.config.bootstrap.v3.Bootstrap",
       {{"node"},
        {"static_resources"},
        {"admin"},
        {"stats_config"},
        {"stats_flush_interval"},
        {"cluster_manager"},
        {"dynamic_resources"},
        {"bootstrap_extensions"},
        {"stats_sinks"},
        noEffect("node_context_params", "only a management server asks for it"),
        {"layered_runtime"},
        {"overload_manager"},
        refused("tracing", "tracing comes later")}},
      {"envoy.config.bootstrap.v3.Bootstrap.StaticResources", {{"listeners"}, {"clusters"}, {"secrets"}}},
      {"envoy.config.bootstrap.v3.ClusterManager",
       {noEffect("enable_deferred_cluster_creation", "clusters are made at start")}},
      {"envoy.config.bootstrap.v3.Admin",
       {{"address"},
        noEffect("access_log_path", kNoAdminLog),
        noEffect("access_log", kNoAdminLog),
        noEffect("profile_path", "there is no profiler to write a profile"),
        noEffect("ignore_global_conn_limit", "the limit is for clients, and never for the admin endpoint")}},
      {"envoy.config.bootstrap.v3.LayeredRuntime", {{"layers"}}},
      {"envoy.config.bootstrap.v3.RuntimeLayer",
       {{"name"},
        {"static_layer"},
        noEffect("admin_layer", "keys are not changed while weir runs"),
        refused("disk_layer", "keys are not read from a tree of files; write them in a static_layer"),
        refused("rtds_layer", "configuration from a management server comes later")}},
      {"envoy.config.bootstrap.v3.RuntimeLayer.AdminLayer", {}},
      {"envoy.config.overload.v3.OverloadManager",
       {{"resource_monitors"},
        noEffect("refresh_interval", "connections are counted as they come"),
        refused("actions", "there are no actions on overload"),
        refused("loadshed_points", "there are no points at which load is shed"),
        refused("buffer_factory_config", "buffers are counted per connection")}},
      {"envoy.config.overload.v3.ResourceMonitor", {{"name"}, {"typed_config"}}},
      {"envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
       {{"max_active_downstream_connections"}}},
      {"weir.plugins.v1.PluginLimits", {{"defaults"}, {"by_plugin"}}},
      {"weir.plugins.v1.Limits",
       {{"call_time"},
        {"start_time"},
        {"pause_time"},
        {"memory_bytes"},
        {"log_bytes_per_second"},
        {"shared_data_bytes"},
        {"body_bytes"},
        {"queue_bytes"},
        {"pending_calls"},
        {"pending_grpc"},
        {"metrics"},
        {"other_plugins"},
        {"instance_per_stream"},
        {"instances"}}},
      {"envoy.config.core.v3.Node", {}, true},
      {"envoy.config.metrics.v3.StatsSink", {{"name"}, {"typed_config"}}},
      {"envoy.config.metrics.v3.StatsConfig", {{"stats_tags"}, {"use_all_default_tags"}}},
      {"envoy.config.metrics.v3.TagSpecifier", {{"tag_name"}, {"regex"}, {"fixed_value"}}},
  };
  return kTables;
}

}  // namespace weir::config
