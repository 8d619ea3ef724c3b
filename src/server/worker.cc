#include "server/worker.h"

#include <pthread.h>

#include <algorithm>
#include <future>
#include <mutex>

#include "base/log.h"
#include "server/listen_options.h"
#include "server/upstream_filters.h"
#include "tcp/small_filters.h"

namespace weir::server {

namespace {

bool isAsked(Door& door, bool inbound_only) { return !inbound_only || door.shared().spec.direction == kInbound; }

}  // namespace

Worker::Worker(uint32_t index, Shared& shared, Owner& owner, Drain drain)
    : index_(index),
      shared_(shared),
      owner_(owner),
      loop_(base::systemClock()),
      log_feeds_(loop_, shared.log_flush),
      drain_(drain),
      sweep_(loop_, [this] { sweep(); }) {}

Worker::~Worker() = default;

void Worker::start() {
  thread_ = std::thread([this] { run(); });
  const std::string name = "weir:worker_" + std::to_string(index_);
  pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
}

void Worker::run() {
  setUp();
  loop_.run();
  // What was made on this thread ends on it.
  for (const auto& door : doors_) door->closeNow();
  for (const Leaving& last : leaving_) last.door->closeNow();
  loop_.runReady();
  doors_.clear();
  leaving_.clear();
  services_.clear();
  loop_.runReady();
  endPlugins(*plugins_, filters_, loop_);
  plugins_.reset();
  loop_.runReady();  // Their connections go before the clusters that they use.
  fetches_.clear();
  clusters_.reset();
  loop_.runReady();
}

void Worker::setUp() {
  const upstream::Environment environment{
      .loop = loop_, .random = random_, .stats = *shared_.stats, .shared = &shared_.clusters, .leads = index_ == 0};
  std::vector<upstream::ClusterSpec> clusters = shared_.first_clusters;
  for (upstream::ClusterSpec& cluster : clusters) filters_.own(cluster);
  clusters_ =
      upstream::createClusters(clusters, environment, [this] { loop_.post([this] { owner_.onWorkerReady(index_); }); });
  plugins_ = std::make_unique<proxy_wasm::WorkerPlugins>(
      proxy_wasm::WorkerPlugins::Environment{loop_, random_, clusters_.get(), nullptr, &shared_.breakers});
  filters_.fill(*plugins_);
  for (const auto& service : shared_.worker_services) services_.push_back(plugins_->createService(service));
}

// --- Listeners ---

void Worker::putListener(std::shared_ptr<SharedListener> listener, net::Fd socket) {
  // Tasks are copied.
  loop_.post([this, listener = std::move(listener), socket = std::make_shared<net::Fd>(std::move(socket))] {
    openDoor(listener, std::move(*socket));
  });
}

// The new door accepts before the old one lets go, and what the old one's socket has queued is the new one's.
void Worker::openDoor(std::shared_ptr<SharedListener> listener, net::Fd socket) {
  if (draining_) return;
  auto door = std::make_unique<Door>(
      listener, Door::Place{loop_, random_, *shared_.stats, index_, shared_.connections, logs(listener->access_logs),
                            [this] { onConnectionCame(); }, [this] { onConnectionGone(); }});
  if (auto adopted = door->adopt(std::move(socket)); !adopted.ok()) {
    LOG(Main, Critical, "{}", adopted.error().detail);
    return;
  }
  makeChains(*door);
  std::unique_ptr<Door> before = takeDoor(listener->key);
  const bool same_socket = before != nullptr && before->address() == door->address();
  if (accepting_) {
    if (auto opened = door->open(); !opened.ok()) LOG(Main, Critical, "{}", opened.error().detail);
  }
  doors_.push_back(std::move(door));
  if (before == nullptr) return;
  same_socket ? before->abandonSocket() : before->stopAccepting();
  leave(std::move(before));
}

void Worker::makeChains(Door& door) {
  for (DoorChain& chain : door.chains()) {
    const size_t buffer_limit = door.shared().spec.buffer_limit;
    if (chain.shared.http != nullptr)
      chain.http = makeManager(*chain.shared.http, shared_.local_ip, buffer_limit, place());
    if (chain.shared.http == nullptr || !chain.shared.network_filters.empty()) {
      chain.tcp = makeTcpChain(chain.shared, buffer_limit);
    }
  }
}

void Worker::removeListener(const std::string& key) {
  loop_.post([this, key] {
    std::unique_ptr<Door> door = takeDoor(key);
    if (door == nullptr) return;
    door->stopAccepting();
    leave(std::move(door));
  });
}

std::unique_ptr<Door> Worker::takeDoor(std::string_view key) {
  for (auto at = doors_.begin(); at != doors_.end(); ++at) {
    if ((*at)->shared().key != key) continue;
    std::unique_ptr<Door> door = std::move(*at);
    doors_.erase(at);
    return door;
  }
  return nullptr;
}

void Worker::leave(std::unique_ptr<Door> door) {
  door->askToGo(pace());
  leaving_.push_back({std::move(door), loop_.now() + drain_.time});
  sweep_.arm(std::chrono::milliseconds(1));
}

void Worker::onConnectionCame() { ++connections_; }

// A door may not go in the turn in which its last connection did: that is destroyed at the turn's end.
void Worker::onConnectionGone() {
  --connections_;
  if (!leaving_.empty()) sweep_.arm(std::chrono::milliseconds(1));
  tellWhenEmpty();
}

void Worker::sweep() {
  base::Duration next = base::Duration::max();
  for (auto at = leaving_.begin(); at != leaving_.end();) {
    if (at->door->connections() == 0) {
      owner_.onListenerGone(at->door->kept());
      at = leaving_.erase(at);
      continue;
    }
    if (at->deadline <= loop_.now()) at->door->closeNow();
    next = std::min(next, std::max<base::Duration>(at->deadline - loop_.now(), std::chrono::milliseconds(1)));
    ++at;
  }
  if (!leaving_.empty()) sweep_.arm(next);
}

void Worker::setRoutes(uint64_t source, std::shared_ptr<const LoadedRoutes> routes) {
  loop_.post([this, source, routes = std::move(routes)] {
    const auto set = [&](Door& door) {
      for (DoorChain& chain : door.chains()) {
        const SharedHttp* shared = chain.shared.http.get();
        if (chain.http == nullptr || shared->route_source != source) continue;
        useRoutes(*routes, shared->filters, shared->router_name, *plugins_, *chain.http);
      }
    };
    for (const auto& door : doors_) set(*door);
    for (const Leaving& last : leaving_) set(*last.door);
  });
}

// --- Clusters ---

void Worker::putCluster(const upstream::ClusterSpec& spec) {
  loop_.post([this, spec] {
    upstream::ClusterSpec own = spec;
    filters_.own(own);
    filters_.fill(*plugins_);
    clusters_->put(own, [] {});
  });
}

void Worker::removeCluster(const std::string& name) {
  loop_.post([this, name] { clusters_->remove(name); });
}

void Worker::assign(const std::string& cluster, std::shared_ptr<const upstream::Assignment> endpoints) {
  loop_.post([this, cluster, endpoints = std::move(endpoints)] { clusters_->assign(cluster, *endpoints); });
}

void Worker::startLatePlugins() {
  loop_.post([this] { plugins_->startLate(); });
}

// --- Fetches for the main thread ---

void Worker::fetch(proxy_wasm::FetchRequest request, std::function<void(proxy_wasm::FetchAnswer)> answered) {
  loop_.post([this, request = std::move(request), answered = std::move(answered)] { startFetch(request, answered); });
}

void Worker::startFetch(const proxy_wasm::FetchRequest& request,
                        std::function<void(proxy_wasm::FetchAnswer)> answered) {
  const auto ended = [this, answered = std::move(answered)](FetchCall& call, proxy_wasm::FetchAnswer answer) {
    const auto at =
        std::find_if(fetches_.begin(), fetches_.end(), [&](const auto& each) { return each.get() == &call; });
    loop_.destroyLater(std::move(*at));
    fetches_.erase(at);
    answered(std::move(answer));
  };
  fetches_.push_back(std::make_unique<FetchCall>(ended));
  fetches_.back()->start(clusters_->find(request.cluster), loop_, request);
}

// ---

ManagerPlace Worker::place() { return {loop_, random_, *clusters_, *plugins_, log_feeds_}; }

access_log::Logs Worker::logs(std::shared_ptr<const access_log::CompiledLogs> compiled) {
  return makeLogs(std::move(compiled), place());
}

std::unique_ptr<tcp::Chain> Worker::makeTcpChain(const SharedFilterChain& shared, size_t buffer_limit) {
  struct Visitor {
    std::unique_ptr<tcp::FilterFactory> operator()(const tcp::ProxySpec& spec) {
      const size_t proxy = next_proxy++;
      tcp::ProxyFactory::Environment with_logs = environment;
      with_logs.logs = worker.logs(shared.proxy_logs[proxy]);
      return std::make_unique<tcp::ProxyFactory>(std::make_shared<const tcp::ProxySpec>(spec),
                                                 *shared.proxy_stats[proxy], with_logs);
    }
    std::unique_ptr<tcp::FilterFactory> operator()(const tcp::EchoSpec&) { return tcp::echo(); }
    std::unique_ptr<tcp::FilterFactory> operator()(const tcp::DirectResponseSpec& spec) {
      return tcp::directResponse(spec);
    }
    std::unique_ptr<tcp::FilterFactory> operator()(const tcp::SniClusterSpec&) { return tcp::sniCluster(); }
    std::unique_ptr<tcp::FilterFactory> operator()(const proxy_wasm::PluginSpec&) {
      return worker.plugins_->createNetworkFactory(shared.network_plugins[next_plugin++]);
    }
    const SharedFilterChain& shared;
    tcp::ProxyFactory::Environment environment;
    Worker& worker;
    size_t next_proxy = 0;
    size_t next_plugin = 0;
  };
  Visitor make{shared, {loop_, random_, *clusters_}, *this};
  std::vector<std::unique_ptr<tcp::FilterFactory>> filters;
  for (const config::NetworkFilterSpec& spec : shared.network_filters) filters.push_back(std::visit(make, spec));
  return std::make_unique<tcp::Chain>(tcp::Chain{loop_, std::move(filters), buffer_limit});
}

void Worker::beginAccepting() {
  loop_.post([this] {
    accepting_ = true;
    for (const auto& door : doors_) {
      if (auto opened = door->open(); !opened.ok()) LOG(Main, Critical, "{}", opened.error().detail);
    }
    owner_.onWorkerAccepting(index_);
  });
}

void Worker::drain() {
  loop_.post([this] {
    draining_ = true;
    for (const auto& door : doors_) door->drain();
    for (const Leaving& last : leaving_) last.door->drain();
    tellWhenEmpty();
  });
}

void Worker::askToGo(bool inbound_only) {
  loop_.post([this, inbound_only] {
    for (const auto& door : doors_) {
      if (isAsked(*door, inbound_only)) door->askToGo(pace());
    }
  });
}

void Worker::welcome() {
  loop_.post([this] {
    for (const auto& door : doors_) door->welcome();
  });
}

void Worker::stopAccepting(bool inbound_only) {
  loop_.post([this, inbound_only] {
    for (const auto& door : doors_) {
      if (isAsked(*door, inbound_only)) door->stopAccepting();
    }
  });
}

void Worker::tellWhenEmpty() {
  if (draining_ && connections_ == 0) owner_.onWorkerEmpty(index_);
}

void Worker::stop() { loop_.stop(); }

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

bool Worker::inspectClusters(const std::function<void(upstream::Clusters&)>& look) {
  // Shared with the task, which may run when nobody waits any more (the worker was busy) or never (it has ended).
  struct Inspection {
    std::mutex mutex;
    std::promise<void> done;
    bool abandoned = false;
  };
  const auto inspection = std::make_shared<Inspection>();
  loop_.post([this, &look, inspection] {
    const std::scoped_lock lock(inspection->mutex);
    if (inspection->abandoned) return;
    look(*clusters_);
    inspection->done.set_value();
  });
  if (inspection->done.get_future().wait_for(std::chrono::seconds(1)) == std::future_status::ready) return true;
  const std::scoped_lock lock(inspection->mutex);
  inspection->abandoned = true;
  return false;
}

}  // namespace weir::server
