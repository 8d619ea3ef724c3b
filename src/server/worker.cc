#include "server/worker.h"

#include <pthread.h>

#include <future>
#include <mutex>

#include "base/log.h"
#include "tcp/small_filters.h"

namespace weir::server {

Worker::Worker(uint32_t index, Shared& shared, Owner& owner)
    : index_(index), shared_(shared), owner_(owner), loop_(base::systemClock()), log_feeds_(loop_, shared.log_flush) {}

Worker::~Worker() = default;

std::vector<base::Error> Worker::bind() {
  std::vector<base::Error> faults;
  for (const auto& listener : shared_.listeners) {
    const auto on_gone = [this] {
      --connections_;
      shared_.connections.open.fetch_sub(1, std::memory_order_relaxed);
      tellWhenEmpty();
    };
    const auto on_come = [this] {
      ++connections_;
      shared_.connections.open.fetch_add(1, std::memory_order_relaxed);
    };
    auto door = std::make_unique<Door>(
        *listener, Door::Place{loop_, *shared_.stats, index_, shared_.connections, on_come, on_gone});
    if (auto bound = door->bind(); !bound.ok()) {
      faults.push_back(std::move(bound).error());
      continue;
    }
    listener->address = door->address();
    doors_.push_back(std::move(door));
  }
  return faults;
}

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
  loop_.runReady();
  doors_.clear();
  plugins_.reset();
  clusters_.reset();
  loop_.runReady();
}

void Worker::setUp() {
  const upstream::Environment environment{
      .loop = loop_, .random = random_, .stats = *shared_.stats, .shared = &shared_.clusters, .leads = index_ == 0};
  clusters_ = upstream::createClusters(shared_.bootstrap.clusters, environment,
                                       [this] { loop_.post([this] { owner_.onWorkerReady(index_); }); });
  plugins_ = std::make_unique<proxy_wasm::WorkerPlugins>(
      proxy_wasm::WorkerPlugins::Environment{loop_, random_, clusters_.get()});
  makeChains();
}

void Worker::makeChains() {
  for (const auto& door : doors_) {
    for (DoorChain& chain : door->chains()) {
      if (chain.shared.http != nullptr) {
        chain.http = makeManager(*chain.shared.http, door->shared().spec.buffer_limit);
      } else {
        chain.tcp = makeTcpChain(chain.shared, door->shared().spec.buffer_limit);
      }
    }
  }
}

std::unique_ptr<tcp::Chain> Worker::makeTcpChain(const SharedFilterChain& shared, size_t buffer_limit) {
  struct Visitor {
    std::unique_ptr<tcp::FilterFactory> operator()(const tcp::ProxySpec& spec) {
      return std::make_unique<tcp::ProxyFactory>(std::make_shared<const tcp::ProxySpec>(spec),
                                                 *shared.proxy_stats[next_proxy++], environment);
    }
    std::unique_ptr<tcp::FilterFactory> operator()(const tcp::EchoSpec&) { return tcp::echo(); }
    std::unique_ptr<tcp::FilterFactory> operator()(const tcp::DirectResponseSpec& spec) {
      return tcp::directResponse(spec);
    }
    std::unique_ptr<tcp::FilterFactory> operator()(const tcp::SniClusterSpec&) { return tcp::sniCluster(); }
    const SharedFilterChain& shared;
    tcp::ProxyFactory::Environment environment;
    size_t next_proxy = 0;
  };
  Visitor make{shared, {loop_, random_, *clusters_}};
  std::vector<std::unique_ptr<tcp::FilterFactory>> filters;
  for (const tcp::FilterSpec& spec : shared.network_filters) filters.push_back(std::visit(make, spec));
  return std::make_unique<tcp::Chain>(tcp::Chain{loop_, std::move(filters), buffer_limit});
}

std::unique_ptr<exchange::HttpManager> Worker::makeManager(const SharedHttp& http, size_t buffer_limit) {
  std::vector<std::unique_ptr<filter::FilterFactory>> filters;
  for (const auto& plugin : http.plugins) filters.push_back(plugins_->createFactory(plugin));
  return std::make_unique<exchange::HttpManager>(exchange::HttpManager{
      .loop = loop_,
      .random = random_,
      .clusters = *clusters_,
      .stats = *http.stats,
      .spec = http.spec,
      .routes = http.routes,
      .filters = std::move(filters),
      .access_logs = access_log::Logs(http.access_logs, log_feeds_),
      .local_replies = http.local_replies,
      .suppress_envoy_headers = http.suppress_envoy_headers,
      .buffer_limit = buffer_limit,
      .local_ip = shared_.local_ip,
  });
}

void Worker::beginAccepting() {
  loop_.post([this] {
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
    tellWhenEmpty();
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
