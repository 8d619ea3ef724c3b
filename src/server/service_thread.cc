#include "server/service_thread.h"

#include <pthread.h>

#include <utility>

namespace weir::server {

ServiceThread::ServiceThread(Shared& shared)
    : shared_(shared), first_clusters_(shared.first_clusters), loop_(base::systemClock()) {}
ServiceThread::~ServiceThread() = default;

void ServiceThread::start() {
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "weir:services");
}

void ServiceThread::run() {
  setUp();
  loop_.run();
  // What was made on this thread ends on it.
  services_.clear();
  sinks_.clear();
  loop_.runReady();
  endPlugins(*plugins_, filters_, loop_);
  plugins_.reset();
  loop_.runReady();  // Their connections go before the clusters that they use.
  clusters_.reset();
  loop_.runReady();
}

void ServiceThread::setUp() {
  std::vector<upstream::ClusterSpec> clusters = std::exchange(first_clusters_, {});
  for (upstream::ClusterSpec& cluster : clusters) filters_.own(cluster);
  clusters_ = upstream::createClusters(
      clusters,
      {.loop = loop_, .random = random_, .stats = *shared_.stats, .shared = &shared_.clusters, .leads = false}, [] {});
  plugins_ = std::make_unique<proxy_wasm::WorkerPlugins>(
      proxy_wasm::WorkerPlugins::Environment{loop_, random_, clusters_.get(), nullptr, &shared_.breakers});
  filters_.fill(*plugins_);
  for (const auto& plugin : shared_.singletons) services_.push_back(plugins_->createService(plugin));
  for (const auto& plugin : shared_.stats_sinks) sinks_.push_back(plugins_->createService(plugin));
}

void ServiceThread::putCluster(const upstream::ClusterSpec& spec) {
  loop_.post([this, spec] {
    upstream::ClusterSpec own = spec;
    filters_.own(own);
    filters_.fill(*plugins_);
    clusters_->put(own, [] {});
  });
}

void ServiceThread::removeCluster(const std::string& name) {
  loop_.post([this, name] { clusters_->remove(name); });
}

void ServiceThread::assign(const std::string& cluster, std::shared_ptr<const upstream::Assignment> endpoints) {
  loop_.post([this, cluster, endpoints = std::move(endpoints)] { clusters_->assign(cluster, *endpoints); });
}

void ServiceThread::tellStats(std::string report) {
  // Tasks are copied.
  loop_.post([this, report = std::make_shared<const std::string>(std::move(report))] {
    for (const auto& sink : sinks_) sink->tellStats(*report);
  });
}

void ServiceThread::startLatePlugins() {
  loop_.post([this] { plugins_->startLate(); });
}

void ServiceThread::stop() { loop_.stop(); }

void ServiceThread::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace weir::server
