#include "server/worker_crew.h"

namespace weir::server {

WorkerCrew::WorkerCrew(uint32_t count, Shared& shared, Worker::Owner& owner, Worker::Drain drain) {
  for (uint32_t i = 0; i < count; ++i) workers_.push_back(std::make_unique<Worker>(i, shared, owner, drain));
}

void WorkerCrew::end() {
  tell([](Worker& worker) { worker.stop(); });
  tell([](Worker& worker) { worker.join(); });
  workers_.clear();
}

void WorkerCrew::putCluster(const upstream::ClusterSpec& spec) {
  tell([&](Worker& worker) { worker.putCluster(spec); });
}

void WorkerCrew::removeCluster(const std::string& name) {
  tell([&](Worker& worker) { worker.removeCluster(name); });
}

void WorkerCrew::assign(const std::string& cluster, std::shared_ptr<const upstream::Assignment> endpoints) {
  tell([&](Worker& worker) { worker.assign(cluster, endpoints); });
}

void WorkerCrew::putListener(std::shared_ptr<SharedListener> listener, std::vector<net::Fd> sockets) {
  for (size_t i = 0; i < workers_.size(); ++i) workers_[i]->putListener(listener, std::move(sockets[i]));
}

void WorkerCrew::removeListener(const std::string& key) {
  tell([&](Worker& worker) { worker.removeListener(key); });
}

void WorkerCrew::setRoutes(uint64_t source, std::shared_ptr<const route::RouteTable> routes) {
  tell([&](Worker& worker) { worker.setRoutes(source, routes); });
}

}  // namespace weir::server
