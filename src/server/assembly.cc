#include "server/assembly.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <optional>

#include "base/log.h"
#include "oci/credentials.h"
#include "proxy_wasm/access_logger.h"
#include "server/handshakes.h"
#include "server/upstream_filters.h"
#include "wasm/private_file.h"

namespace weir::server {
namespace {

// The machine's first IPv4 address that is not loopback: what Envoy calls the local address.
std::string findLocalIp() {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return "";
  std::string found;
  for (const ifaddrs* each = all; each != nullptr && found.empty(); each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != AF_INET) continue;
    const net::Address address = net::Address::fromSockaddr(each->ifa_addr, sizeof(sockaddr_in));
    if (!address.isLoopback()) found = address.ip();
  }
  freeifaddrs(all);
  return found;
}

// Code that was fetched lies beside the compiled modules, in a folder of its own. Where others can write, they could
// put another folder in its place.
base::Result<wasm::ModuleCache> openFetched(const std::string& cache) {
  auto parent = wasm::openPrivateDirectory(cache);
  if (!parent.ok()) return std::move(parent).error();
  return wasm::ModuleCache::open(cache + "/fetched", {});
}

std::unique_ptr<proxy_wasm::RemoteCode> makeRemoteCode(const Options& options, event::Loop& loop, Shared& shared) {
  std::optional<wasm::ModuleCache> disk;
  if (!options.module_cache.empty()) {
    auto opened = openFetched(options.module_cache);
    if (opened.ok()) {
      disk = *std::move(opened);
    } else {
      LOG(Wasm, Warning, "plugin code that is fetched is not kept: {}", opened.error().detail);
    }
  }
  return std::make_unique<proxy_wasm::RemoteCode>(loop, *shared.stats, std::move(disk), options.registries);
}

void makeEngine(const Options& options, event::Loop* loop, Shared& shared, std::vector<base::Error>& faults) {
  wasm::EngineSettings settings;
  settings.cache_directory = options.module_cache;
  settings.native_key = options.native_key;
  settings.pooled_instances = options.pooled_instances;
  auto engine = wasm::createEngine(settings, options.compile_aside);
  if (!engine.ok()) {
    faults.push_back(std::move(engine).error());
    return;
  }
  shared.engine = std::move(*engine);

  // Read again for each pull; but whoever starts us hears at once of a file that cannot be.
  if (const std::string& file = options.registries.credentials_file; !file.empty()) {
    auto credentials = oci::Credentials::readFile(file);
    if (!credentials.ok()) faults.push_back(std::move(credentials).error().in("--oci-credentials"));
  }
  if (loop != nullptr) shared.remote_code = makeRemoteCode(options, *loop, shared);
  proxy_wasm::PluginHost::Settings plugins;
  plugins.remote = shared.remote_code.get();
  plugins.loop = loop;
  plugins.on_arrival = [&shared] {
    if (shared.on_plugin_arrival) shared.on_plugin_arrival();
  };
  event::FileWatch* const files = shared.transports != nullptr ? shared.transports->files() : nullptr;
  if (options.plugin_watch && files != nullptr) {
    plugins.watch = [files](const std::string& path, std::function<void()> changed) -> std::shared_ptr<void> {
      auto watched = files->watch(path, std::move(changed));
      return watched.ok() ? std::shared_ptr<event::FileWatch::Path>(*std::move(watched)) : nullptr;
    };
  }
  plugins.budgets = proxy_wasm::BudgetTable(shared.bootstrap.plugin_limits, options.plugin_limits);
  plugins.time_one_call_in = options.time_one_plugin_call_in;
  plugins.node = shared.bootstrap.node;
  plugins.knows_cluster = [&shared](std::string_view name) { return shared.knows_cluster(name); };
  shared.plugins =
      std::make_unique<proxy_wasm::PluginHost>(*shared.engine, *shared.stats, base::systemClock(), std::move(plugins));
}

void makeTransports(event::Loop* loop, Shared& shared, std::vector<base::Error>& faults) {
  auto transports = Transports::create(loop, *shared.stats);
  if (!transports.ok()) return faults.push_back(std::move(transports).error());
  shared.transports = std::move(*transports);
  for (upstream::ClusterSpec& cluster : shared.bootstrap.clusters) {
    if (auto prepared = shared.transports->prepare(cluster); !prepared.ok()) faults.push_back(prepared.error());
  }
}

void loadFilters(Shared& shared, SharedHttp& http, std::vector<base::Error>& faults) {
  for (const exchange::HttpFilterSpec& filter : http.spec->filters) {
    if (const auto* router = std::get_if<exchange::RouterFilterSpec>(&filter.filter)) {
      http.suppress_envoy_headers = router->suppress_envoy_headers;
      http.router_name = filter.name;
      http.upstream_filters = router->upstream_filters;
      if (auto loaded = loadUpstreamFilters(http.upstream_filters, *shared.plugins); !loaded.ok()) {
        faults.push_back(std::move(loaded).error());
      }
      continue;
    }
    if (const auto* metadata = std::get_if<filter::SetMetadataSpec>(&filter.filter)) {
      stats::Counter& denied =
          shared.stats->counter("http." + http.spec->stat_prefix + ".set_metadata.overwrite_denied");
      http.filters.push_back({filter.name, filter.disabled, nullptr, metadata, &denied});
      continue;
    }
    auto plugin = shared.plugins->load(std::get<proxy_wasm::PluginSpec>(filter.filter), filter.path);
    if (!plugin.ok()) {
      faults.push_back(std::move(plugin).error());
      continue;
    }
    http.filters.push_back({filter.name, filter.disabled, std::move(*plugin), nullptr, nullptr});
  }
}

std::shared_ptr<const access_log::CompiledLogs> makeLogs(const std::vector<access_log::LogSpec>& specs, Shared& shared,
                                                         std::vector<base::Error>& faults) {
  proxy_wasm::LoggerLoader plugins(shared.plugins.get());
  auto logs = access_log::CompiledLogs::create(specs, *shared.log_writers, &plugins);
  if (logs.ok()) return std::move(*logs);
  faults.push_back(std::move(logs).error());
  return nullptr;
}

std::unique_ptr<SharedHttp> makeHttp(const exchange::HttpManagerSpec& spec, const std::string& listener, Shared& shared,
                                     std::vector<base::Error>& faults) {
  auto http = std::make_unique<SharedHttp>();
  http->spec = std::make_shared<const exchange::HttpManagerSpec>(spec);
  std::vector<base::Error> of_routes;
  http->routes = loadRoutes(spec.routes, shared.plugins.get(), of_routes);
  for (base::Error& fault : of_routes) faults.push_back(std::move(fault).in("listener '" + listener + "'"));
  http->stats = std::make_unique<exchange::ManagerStats>(*shared.stats, spec.stat_prefix);
  http->access_logs = makeLogs(spec.access_logs, shared, faults);
  if (!spec.local_replies.empty()) {
    auto rules = exchange::LocalReplyRules::create(spec.local_replies);
    if (rules.ok()) {
      http->local_replies = std::move(*rules);
    } else {
      faults.push_back(std::move(rules).error().in("local_reply_config"));
    }
  }
  loadFilters(shared, *http, faults);
  return http;
}

void loadNetworkFilters(SharedFilterChain& chain, const std::string& listener, Shared& shared,
                        std::vector<base::Error>& faults) {
  for (const config::NetworkFilterSpec& filter : chain.network_filters) {
    if (const auto* proxy = std::get_if<tcp::ProxySpec>(&filter)) {
      chain.proxy_stats.push_back(std::make_unique<tcp::ProxyStats>(*shared.stats, proxy->stat_prefix));
      chain.proxy_logs.push_back(makeLogs(proxy->access_logs, shared, faults));
    }
    if (const auto* spec = std::get_if<proxy_wasm::PluginSpec>(&filter)) {
      auto plugin = shared.plugins->load(*spec, "listener '" + listener + "'");
      if (!plugin.ok()) {
        faults.push_back(std::move(plugin).error());
        continue;
      }
      chain.network_plugins.push_back(*std::move(plugin));
    }
  }
}

std::unique_ptr<SharedFilterChain> makeChain(const config::FilterChainSpec& spec, const config::ListenerSpec& listener,
                                             Shared& shared, std::vector<base::Error>& faults) {
  auto chain = std::make_unique<SharedFilterChain>();
  chain->name = spec.name;
  chain->handshake_timeout = spec.handshake_timeout.value_or(Handshakes::kDefaultTimeout);
  if (spec.tls && shared.transports != nullptr) {
    auto tls =
        shared.transports->serve(*spec.tls, ListenerStats::prefix(listener.address.toString(), listener.stat_prefix));
    if (!tls.ok())
      faults.push_back(std::move(tls).error());
    else
      chain->tls = std::move(*tls);
  }
  if (spec.http) chain->http = makeHttp(*spec.http, listener.name, shared, faults);
  for (const config::ConnectionLimitSpec& limit : spec.connection_limits) {
    chain->limits.push_back(std::make_unique<ChainLimit>(*shared.stats, limit));
  }
  chain->network_filters = spec.network_filters;
  loadNetworkFilters(*chain, listener.name, shared, faults);
  return chain;
}

void makeMatcher(SharedListener& listener, std::vector<base::Error>& faults) {
  std::vector<listener::ChainMatch> matches;
  for (const config::FilterChainSpec& chain : listener.spec.filter_chains) matches.push_back(chain.match);
  const bool only_one = listener.chains.size() == 1 && (matches.empty() || matches[0] == listener::ChainMatch());
  if (only_one) return;
  auto matcher = listener::ChainMatcher::create(matches);
  if (matcher.ok()) {
    listener.matcher = std::move(*matcher);
  } else {
    faults.push_back(std::move(matcher).error().in("listener '" + listener.spec.name + "'"));
  }
}

}  // namespace

std::shared_ptr<SharedListener> makeListener(const config::ListenerSpec& spec, Shared& shared,
                                             std::vector<base::Error>& faults) {
  auto listener = std::make_shared<SharedListener>();
  listener->spec = spec;
  listener->address = spec.address;
  listener->stats = std::make_unique<ListenerStats>(*shared.stats, spec.address.toString(), spec.stat_prefix);
  for (const config::FilterChainSpec& chain : spec.filter_chains) {
    listener->chains.push_back(makeChain(chain, spec, shared, faults));
  }
  if (spec.default_filter_chain) {
    listener->chains.push_back(makeChain(*spec.default_filter_chain, spec, shared, faults));
    listener->has_default = true;
  }
  listener->connections.most = spec.max_connections;
  listener->access_logs = makeLogs(spec.access_logs, shared, faults);
  listener->filters = listener::FilterSet(spec.listener_filters, *shared.stats);
  makeMatcher(*listener, faults);
  return listener;
}

std::vector<base::Error> loadServices(Shared& shared) {
  std::vector<base::Error> faults;
  const auto load = [&](const proxy_wasm::ServiceSpec& spec, auto& plugins) {
    auto plugin = shared.plugins->load(spec.plugin, spec.path);
    if (plugin.ok()) {
      plugins.push_back(*std::move(plugin));
    } else {
      faults.push_back(std::move(plugin).error());
    }
  };
  for (const proxy_wasm::ServiceSpec& service : shared.bootstrap.services) {
    load(service, service.singleton ? shared.singletons : shared.worker_services);
  }
  for (const proxy_wasm::ServiceSpec& sink : shared.bootstrap.stats_sinks) load(sink, shared.stats_sinks);
  if (shared.plugins != nullptr) shared.plugins->takeLate();  // No listener waits for these.
  return faults;
}

std::vector<base::Error> assemble(config::Bootstrap bootstrap, const Options& options, event::Loop* loop,
                                  Shared& shared) {
  std::vector<base::Error> faults;
  shared.bootstrap = std::move(bootstrap);
  shared.local_ip = findLocalIp();
  shared.connections.most = options.max_connections;
  shared.log_flush = options.log_flush;
  const auto rules = shared.stats->setTagRules(shared.bootstrap.tag_rules, shared.bootstrap.use_default_tags,
                                               shared.bootstrap.fixed_tags);
  if (!rules.ok()) faults.push_back(rules.error());
  makeTransports(loop, shared, faults);
  makeEngine(options, loop, shared, faults);
  return faults;
}

}  // namespace weir::server
