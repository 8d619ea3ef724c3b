#include "xds/subscription.h"

#include "base/hash.h"
#include "base/log.h"

namespace weir::xds {

Subscription::Stats::Stats(stats::Store& store, const std::string& prefix)
    : update_attempt(store.counter(prefix + "update_attempt")),
      update_success(store.counter(prefix + "update_success")),
      update_failure(store.counter(prefix + "update_failure")),
      update_rejected(store.counter(prefix + "update_rejected")),
      update_time(store.gauge(prefix + "update_time")),
      version(store.gauge(prefix + "version")) {
  // A file is read at once: the time for the first answer cannot run out.
  store.counter(prefix + "init_fetch_timeout");
}

Subscription::Subscription(const Environment& environment, config::ResourceKind kind, base::FileSource source,
                           std::string name, const std::string& stat_prefix, Take take)
    : environment_(environment),
      kind_(kind),
      source_(std::move(source)),
      name_(std::move(name)),
      take_(std::move(take)),
      stats_(environment.stats, stat_prefix) {}

// Watched first: what changes while it is read is read again.
bool Subscription::start() {
  const std::string& watched = source_.watched_directory.empty() ? source_.path : source_.watched_directory;
  auto watch = environment_.watcher.watch(watched, [this] { refresh(); });
  if (watch.ok()) {
    watch_ = std::move(*watch);
  } else {
    LOG(Config, Warning, "{}: changes of {} will not be noticed: {}", name_, watched, watch.error().detail);
  }
  return refresh();
}

bool Subscription::refresh() {
  stats_.update_attempt.add();
  last_attempt_ = environment_.loop.wallNow();
  config::DiscoverOutcome outcome = environment_.read(source_.path, kind_);
  for (const config::Notice& notice : outcome.notices) LOG(Config, Warning, "{}: {}", name_, notice.text());
  error_version_ = outcome.version;
  std::vector<std::string> reasons;
  for (const config::Fault& fault : outcome.faults) reasons.push_back(fault.text());
  if (!outcome.resources) {
    fail(outcome.readable ? stats_.update_rejected : stats_.update_failure, reasons);
    return false;
  }
  reasons = take_(*outcome.resources);
  if (!reasons.empty()) {
    fail(stats_.update_rejected, reasons);
    return false;
  }
  error_.clear();
  error_version_.clear();
  version_ = outcome.version;
  stats_.update_success.add();
  stats_.update_time.set(
      std::chrono::duration_cast<std::chrono::milliseconds>(last_attempt_.time_since_epoch()).count());
  stats_.version.set(static_cast<int64_t>(base::xxHash64(version_)));
  LOG(Config, Info, "{}: version '{}' of {} is in force", name_, version_, source_.path);
  return true;
}

void Subscription::fail(stats::Counter& counter, const std::vector<std::string>& reasons) {
  counter.add();
  error_.clear();
  for (const std::string& reason : reasons) {
    error_ += (error_.empty() ? "" : "; ") + reason;
    LOG(Config, Warning, "{}: {}", name_, reason);
  }
  LOG(Config, Warning, "{}: {} was refused as a whole; what was in force stays", name_, source_.path);
}

}  // namespace weir::xds
