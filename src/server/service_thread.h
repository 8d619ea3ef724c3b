// The thread of plugins that run once in the process: singleton services and sinks of statistics. It has a loop,
// clusters of its own for their callouts, and no listener. It is there only where such a plugin is configured.
//
// Made, told and joined by the main thread; the public calls after start() are messages to it.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "event/loop.h"
#include "proxy_wasm/service.h"
#include "proxy_wasm/worker_plugins.h"
#include "server/shared.h"
#include "server/upstream_filters.h"

namespace weir::server {

class ServiceThread {
 public:
  explicit ServiceThread(Shared& shared);
  ~ServiceThread();

  void start();
  void putCluster(const upstream::ClusterSpec& spec);
  void removeCluster(const std::string& name);
  void assign(const std::string& cluster, std::shared_ptr<const upstream::Assignment> endpoints);
  // A report of statistics for every sink.
  void tellStats(std::string report);
  // See Worker.
  void startLatePlugins();
  // Services are told of their end by it.
  void stop();
  void join();

 private:
  void run();
  void setUp();

  Shared& shared_;
  std::vector<upstream::ClusterSpec> first_clusters_;  // Until they are made.
  event::Loop loop_;
  base::FastRandom random_;
  std::unique_ptr<upstream::Clusters> clusters_;
  std::unique_ptr<proxy_wasm::WorkerPlugins> plugins_;
  OwnFilters filters_;
  std::vector<std::unique_ptr<proxy_wasm::Service>> services_;
  std::vector<std::unique_ptr<proxy_wasm::Service>> sinks_;
  std::thread thread_;
};

}  // namespace weir::server
