// One plugin on one worker, through all its lives: waiting for its code, started, failed, started anew. Shared by the
// factories of equal plugins.
#pragma once

#include <memory>

#include "event/timer.h"
#include "filter/filter.h"
#include "proxy_wasm/breaker.h"
#include "proxy_wasm/started_plugin.h"
#include "proxy_wasm/stream_instances.h"
#include "proxy_wasm/worker_plugins.h"
#include "stats/gauge_share.h"

namespace weir::proxy_wasm {

class PluginOnWorker {
 public:
  // The first start is tried here.
  PluginOnWorker(WorkerPlugins& worker, std::shared_ptr<const LoadedPlugin> plugin);
  ~PluginOnWorker();

  // A filter for a stream; null: the stream goes without (failure policy Open).
  std::unique_ptr<filter::Filter> create();
  // A filter for a TCP connection; never null.
  std::unique_ptr<tcp::Filter> createForConnection();
  // Tells it an entry of an access log. One that does not run misses it.
  void log(const format::Entry& entry);
  // Tells it a report of statistics; likewise.
  void tellStats(const std::string& report);
  // A VM that one stream had for itself has failed; perhaps a stream of this plugin's.
  void onInstanceFailed(Vm& vm);
  // Starts it anew if it has failed and its breaker lets it.
  void revive();
  // Takes its newest version, where it can be started; the streams of the old one end with that, and the breaker knows
  // nothing of the old one's faults.
  void renew();
  const std::string& name() const { return name_; }
  std::string key() const { return plugin_->identity() + plugin_->key; }

 private:
  // Calls use(root) if it runs, or can be made to.
  template <typename Use>
  void withRoot(Use use);
  bool open() const { return plugin_->spec.failsOpen(); }
  bool alive() const { return current_ != nullptr && !current_->vm().failed(); }
  bool codeIsHere();
  bool perStream() { return codeIsHere() && plugin_->fresh != nullptr; }
  bool admitted();
  // The plugin for a new stream: the one that runs here, or an instance of the stream's own. Null: it cannot be.
  std::shared_ptr<StartedPlugin> forStream();
  base::Result<std::shared_ptr<StartedPlugin>> started(const std::shared_ptr<const LoadedPlugin>& plugin);
  bool start();
  // If it is not to wait.
  void startAgain();
  base::Duration backoff();
  void bury(base::MonotonicTime now);
  bool ofUse(base::MonotonicTime now) const;
  void onProbe();
  void closeBreaker();
  void forgetBreaker();
  // What comes of its state, which was before.
  void tellBreaker(Breaker::State before);
  void tellOpened();
  void tellClosed();

  WorkerPlugins& worker_;
  const std::string name_;
  std::shared_ptr<const LoadedPlugin> plugin_;
  std::weak_ptr<const LoadedPlugin> refused_;  // A version that could not be started here.
  // What all streams share. Where each has an instance of its own: what the rest (logs, reports) is told to, started
  // when that comes for the first time.
  std::shared_ptr<StartedPlugin> current_;
  StreamInstances instances_;  // Of a plugin where each stream has its own.
  Breaker breaker_;
  std::string cause_;                    // Of the last death, in a line.
  base::MonotonicTime born_{};           // The instance.
  std::unique_ptr<event::Timer> probe_;  // There since the breaker opened first.
  stats::Counter& reload_success_;
  stats::Counter& reload_failure_;
  stats::Counter& reload_backoff_;
  stats::Counter& breaker_opened_;
  stats::GaugeShare breaker_open_;
};

}  // namespace weir::proxy_wasm
