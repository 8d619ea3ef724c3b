// One file of resources, followed: read when it starts and again whenever the file changes.
//
// What the file holds is taken as a whole or refused as a whole; refused, what was taken before stays in force. Envoy's
// words for the counters: an attempt that could not be read is a failure, one whose content is refused a rejection.
// Belongs to the main thread; blocks it for as long as the reading and the taking last.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_source.h"
#include "config/discovery.h"
#include "event/loop.h"
#include "stats/stats.h"
#include "xds/watcher.h"

namespace weir::xds {

class Subscription {
 public:
  // Takes the resources, or says in sentences why it cannot; then nothing must have changed.
  using Take = std::function<std::vector<std::string>(config::Discovered& resources)>;
  using Read = std::function<config::DiscoverOutcome(const std::string& path, config::ResourceKind kind)>;

  struct Environment {
    event::Loop& loop;
    stats::Store& stats;
    Watcher& watcher;
    Read read;
  };

  // name: for the log ("lds", "rds 'web'"). stat_prefix: with its last dot ("listener_manager.lds.").
  Subscription(const Environment& environment, config::ResourceKind kind, base::FileSource source, std::string name,
               const std::string& stat_prefix, Take take);

  // Reads for the first time, within the call, and follows the file from then on. True: it was taken.
  bool start();

  // Of what is in force; empty before.
  const std::string& version() const { return version_; }
  // Why the last attempt came to nothing; empty if it did not.
  const std::string& error() const { return error_; }
  const std::string& errorVersion() const { return error_version_; }
  base::WallTime lastAttempt() const { return last_attempt_; }

 private:
  struct Stats {
    Stats(stats::Store& store, const std::string& prefix);
    stats::Counter& update_attempt;
    stats::Counter& update_success;
    stats::Counter& update_failure;
    stats::Counter& update_rejected;
    stats::Gauge& update_time;  // Milliseconds since 1970.
    stats::Gauge& version;      // The version's hash.
  };

  bool refresh();
  void fail(stats::Counter& counter, const std::vector<std::string>& reasons);

  const Environment environment_;
  const config::ResourceKind kind_;
  const base::FileSource source_;
  const std::string name_;
  const Take take_;
  Stats stats_;
  std::unique_ptr<Watcher::Watch> watch_;
  std::string version_;
  std::string error_;
  std::string error_version_;
  base::WallTime last_attempt_{};
};

}  // namespace weir::xds
