// One plugin on one worker, through all its lives: waiting for its code, started, failed, started anew. Shared by the
// factories of equal plugins.
#pragma once

#include <memory>

#include "filter/filter.h"
#include "proxy_wasm/started_plugin.h"
#include "proxy_wasm/worker_plugins.h"

namespace weir::proxy_wasm {

class PluginOnWorker {
 public:
  // How often in a row it may die without having served a stream before it has to wait. Generous: a new instance costs
  // a fraction of a millisecond, and a burst of requests that each kill it must not take the others with it.
  static constexpr int kFreeRevivals = 200;

  // The first start is tried here.
  PluginOnWorker(WorkerPlugins& worker, std::shared_ptr<const LoadedPlugin> plugin);

  // A filter for a stream; null: the stream goes without (failure policy Open).
  std::unique_ptr<filter::Filter> create();
  // A filter for a TCP connection; never null.
  std::unique_ptr<tcp::Filter> createForConnection();
  // Tells it an entry of an access log. One that does not run misses it.
  void log(const format::Entry& entry);
  // Tells it a report of statistics; likewise.
  void tellStats(const std::string& report);
  // Starts it anew if it has failed and is not to wait.
  void revive();
  // Takes its newest version, where it can be started; the streams of the old one end with that.
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
  base::Result<std::shared_ptr<StartedPlugin>> started(const std::shared_ptr<const LoadedPlugin>& plugin);
  bool start();
  base::Duration backoff();

  WorkerPlugins& worker_;
  const std::string name_;
  std::shared_ptr<const LoadedPlugin> plugin_;
  std::weak_ptr<const LoadedPlugin> refused_;  // A version that could not be started here.
  std::shared_ptr<StartedPlugin> current_;
  int useless_lives_ = 0;
  base::MonotonicTime not_before_{};
  stats::Counter& reload_success_;
  stats::Counter& reload_failure_;
  stats::Counter& reload_backoff_;
};

}  // namespace weir::proxy_wasm
