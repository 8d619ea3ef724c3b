#include "server/worker_crew.h"

namespace weir::server {

WorkerCrew::WorkerCrew(uint32_t count, Shared& shared, Worker::Owner& owner, Worker::Drain drain) : shared_(shared) {
  for (uint32_t i = 0; i < count; ++i) workers_.push_back(std::make_unique<Worker>(i, shared, owner, drain));
}

void WorkerCrew::start() {
  tell([](Worker& worker) { worker.start(); });
  if (shared_.singletons.empty() && shared_.stats_sinks.empty()) return;
  services_ = std::make_unique<ServiceThread>(shared_);
  services_->start();
}

void WorkerCrew::end() {
  tell([](Worker& worker) { worker.stop(); });
  tell([](Worker& worker) { worker.join(); });
  workers_.clear();
  if (services_ == nullptr) return;
  services_->stop();
  services_->join();
  services_.reset();
}

void WorkerCrew::putCluster(const upstream::ClusterSpec& spec) {
  tellClusters([&](auto& thread) { thread.putCluster(spec); });
}

void WorkerCrew::removeCluster(const std::string& name) {
  tellClusters([&](auto& thread) { thread.removeCluster(name); });
}

void WorkerCrew::assign(const std::string& cluster, std::shared_ptr<const upstream::Assignment> endpoints) {
  tellClusters([&](auto& thread) { thread.assign(cluster, endpoints); });
}

void WorkerCrew::putListener(std::shared_ptr<SharedListener> listener, std::vector<net::Fd> sockets) {
  for (size_t i = 0; i < workers_.size(); ++i) workers_[i]->putListener(listener, std::move(sockets[i]));
}

void WorkerCrew::removeListener(const std::string& key) {
  tell([&](Worker& worker) { worker.removeListener(key); });
}

void WorkerCrew::setRoutes(uint64_t source, std::shared_ptr<const LoadedRoutes> routes) {
  tell([&](Worker& worker) { worker.setRoutes(source, routes); });
}

}  // namespace weir::server
