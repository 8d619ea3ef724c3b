// A plugin that serves no stream: a bootstrap service, which ticks, calls and listens to queues; or a sink of
// statistics. It runs as long as this is held, through all its lives; on one worker, on its thread.
#pragma once

#include <memory>
#include <string>

#include "proxy_wasm/loaded_plugin.h"

namespace weir::proxy_wasm {

class PluginOnWorker;

class Service {
 public:
  explicit Service(std::shared_ptr<PluginOnWorker> plugin);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // envoy_on_stats_update of its root context, with a report of StatsReports in the buffer CallData.
  void tellStats(const std::string& report);

 private:
  const std::shared_ptr<PluginOnWorker> plugin_;
};

}  // namespace weir::proxy_wasm
