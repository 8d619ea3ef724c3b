// The TLS contexts of listeners and clusters, and the watch over the files that they are made of.
//
// Belongs to the main thread; outlives what it makes.
#pragma once

#include <memory>

#include "event/file_watch.h"
#include "stats/stats.h"
#include "tls/live.h"
#include "upstream/spec.h"

namespace weir::server {

class Transports {
 public:
  // loop: the main thread's; null: files are not followed (the configuration is only judged). An error is the system's.
  static base::Result<std::unique_ptr<Transports>> create(event::Loop* loop, stats::Store& store);

  // listener_prefix: "listener.127.0.0.1_443.". Errors are the operator's, with the place in the configuration.
  base::Result<std::shared_ptr<tls::LiveServer>> serve(const tls::ServerSpec& spec, const std::string& listener_prefix);
  // Fills in live_tls, if the cluster has TLS.
  base::Result<void> prepare(upstream::ClusterSpec& spec);
  // Also for others who watch files; null as with create().
  event::FileWatch* files() { return files_.get(); }

 private:
  Transports(stats::Store& store, std::unique_ptr<event::FileWatch> files);
  tls::Following following();

  stats::Store& store_;
  std::unique_ptr<event::FileWatch> files_;
};

}  // namespace weir::server
