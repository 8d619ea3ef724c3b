// Plugins that could not be loaded, while the proxy serves without them: what is wrong with each, and when it is tried
// again. Pauses grow, and are at random so that several proxies do not try at the same time; where files are watched, a
// change is tried at once.
//
// Belongs to the main thread. Trying takes its time (compiling, and the trial under the start budget), but never more
// than a small share of it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "event/loop.h"
#include "event/timer.h"
#include "proxy_wasm/loaded_plugin.h"
#include "stats/gauge_share.h"

namespace weir::proxy_wasm {

class DegradedPlugins {
 public:
  static constexpr base::Duration kFirstPause = std::chrono::seconds(1);
  static constexpr base::Duration kLongestPause = std::chrono::seconds(60);
  // After a try the pause is at least so many times as long as the try.
  static constexpr int kRest = 20;

  struct Environment {
    event::Loop* loop;  // Null: nothing is tried again.
    const base::Clock& clock;
    stats::Store& stats;
    // Makes the plugin, or says why not. Null: its code is being fetched; put() or end() tell how that ended.
    std::function<base::Result<std::shared_ptr<const LoadedPlugin>>(const std::shared_ptr<LatePlugin>&,
                                                                    const PluginSpec&)>
        load;
    // See PluginHost::Settings.
    std::function<void()> on_arrival;
    std::function<std::shared_ptr<void>(const std::string& path, std::function<void()> changed)> watch;
  };
  explicit DegradedPlugins(Environment environment) : environment_(std::move(environment)) {}

  enum class Again : uint8_t { ByTimer, WhenFetched };
  // It could not be loaded, for that reason. One that is here already keeps its count of tries.
  void put(const std::shared_ptr<LatePlugin>& late, const PluginSpec& spec, const base::Error& why, Again again);
  // It has been loaded after all; nothing happens to one that is not here.
  void end(const LatePlugin& late);
  // Forgets those that nobody uses any more.
  void dropUnused();
  // For people, a line each.
  std::vector<std::string> lines() const;

 private:
  struct Entry {
    Entry(std::weak_ptr<LatePlugin> plugin, PluginSpec of, stats::Gauge& degraded)
        : late(std::move(plugin)), spec(std::move(of)), share(degraded) {}
    std::weak_ptr<LatePlugin> late;
    PluginSpec spec;
    stats::GaugeShare share;  // In wasm.<plugin>.degraded
    std::string why;
    uint32_t tries = 0;
    base::Duration backoff = kFirstPause;
    base::MonotonicTime next{};  // While the timer is armed.
    std::unique_ptr<event::Timer> timer;
    std::shared_ptr<void> watch;
  };

  Entry& add(const std::shared_ptr<LatePlugin>& late, const PluginSpec& spec);
  Entry* find(const LatePlugin* late) const;
  void tryAgain(const std::weak_ptr<LatePlugin>& late);
  void armNext(Entry& entry, base::Duration took);

  const Environment environment_;
  base::FastRandom random_;  // Of pauses.
  std::vector<std::unique_ptr<Entry>> entries_;
};

}  // namespace weir::proxy_wasm
