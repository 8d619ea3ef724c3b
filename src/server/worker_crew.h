// All workers of the process, spoken to as one. Main thread.
#pragma once

#include <memory>
#include <vector>

#include "server/crew.h"
#include "server/service_thread.h"
#include "server/worker.h"

namespace weir::server {

class WorkerCrew final : public Crew {
 public:
  WorkerCrew(uint32_t count, Shared& shared, Worker::Owner& owner, Worker::Drain drain);

  // Starts all threads.
  void start();
  // For the sinks of statistics; nobody's once all have ended.
  void tellStats(std::string report) {
    if (services_ != nullptr) services_->tellStats(std::move(report));
  }
  // See Worker.
  void startLatePlugins() const {
    tellClusters([](auto& thread) { thread.startLatePlugins(); });
  }
  const std::vector<std::unique_ptr<Worker>>& workers() const { return workers_; }
  template <typename Told>
  void tell(Told told) const {
    for (const auto& worker : workers_) told(*worker);
  }
  // Waits until all have ended.
  void end();

  // Crew
  size_t size() const override { return workers_.size(); }
  void putCluster(const upstream::ClusterSpec& spec) override;
  void removeCluster(const std::string& name) override;
  void assign(const std::string& cluster, std::shared_ptr<const upstream::Assignment> endpoints) override;
  void putListener(std::shared_ptr<SharedListener> listener, std::vector<net::Fd> sockets) override;
  void removeListener(const std::string& key) override;
  void setRoutes(uint64_t source, std::shared_ptr<const LoadedRoutes> routes) override;

 private:
  // What is said to all threads that have clusters.
  template <typename Told>
  void tellClusters(Told told) const {
    tell(told);
    if (services_ != nullptr) told(*services_);
  }

  Shared& shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<ServiceThread> services_;  // Null: no plugin runs once in the process.
};

}  // namespace weir::server
