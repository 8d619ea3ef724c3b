// Plugins as the proxy loads them: once for the process. worker_plugins.h runs them on each worker.
//
// Loading does everything that can go wrong while there is still somebody to tell: the code is read and compiled, its
// ABI version, allocator, callbacks and imports are checked, and it is started and configured once on trial (the
// canary), as Envoy does. What load() returns has passed all of it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "proxy_wasm/budgets.h"
#include "proxy_wasm/call_stats.h"
#include "proxy_wasm/degraded_plugins.h"
#include "proxy_wasm/loaded_plugin.h"
#include "proxy_wasm/remote_code.h"
#include "proxy_wasm/shared_data.h"
#include "proxy_wasm/shared_queues.h"
#include "proxy_wasm/spec.h"
#include "stats/stats.h"
#include "wasm/engine.h"

namespace weir::proxy_wasm {

// One per process; belongs to the main thread. What it loads is shared by all threads and may outlive it, but not the
// engine and the stats.
class StartedPlugin;

class PluginHost {
 public:
  struct Settings {
    BudgetTable budgets;
    std::string node;  // Serialized envoy.config.core.v3.Node: the properties xds.node.*.
    // Whether a callout to that cluster would find it; null: any would. Only asked in canaries, which send nothing.
    std::function<bool(std::string_view cluster)> knows_cluster;
    // Where code that is fetched comes from; null: nowhere, what waits for it waits for ever.
    RemoteCode* remote = nullptr;
    // Of the main thread; null: what could not be loaded is not tried again.
    event::Loop* loop = nullptr;
    // A late plugin has its code, or one has a new version: workers can start it.
    std::function<void()> on_arrival = nullptr;
    uint32_t time_one_call_in = kTimeOneCallIn;  // See CallStats.
    // Watches a file until what it returns is destroyed (null: it cannot be watched); changed is called on the host's
    // thread, never within the call. Null: files are read once.
    std::function<std::shared_ptr<void>(const std::string& path, std::function<void()> changed)> watch = nullptr;
  };

  // All references must outlive the host and everything it loads.
  PluginHost(wasm::Engine& engine, stats::Store& stats, const base::Clock& clock, Settings settings)
      : engine_(engine), stats_(stats), clock_(clock), settings_(std::move(settings)), degraded_(environment()) {}

  // Equal specs give the same plugin while somebody holds it, and run one canary. where: in the configuration, if that
  // is to be told. Error (side Operator or Plugin):
  // "<where>: Unable to create Wasm plugin <name>: <where the code is>: <everything that is wrong with it>".
  // Code that is still to be fetched is no error, unless the spec says so (nack_on_miss): the plugin comes late.
  base::Result<std::shared_ptr<const LoadedPlugin>> load(const PluginSpec& spec, std::string_view where = "");
  // What is wrong with a plugin is from now on (true) no error of load() either: it is logged, the plugin is degraded,
  // comes late, and is tried again and again. For the start of a proxy; a configuration that replaces another one is
  // better refused. One that is degraded already is given in any case: it is no worse than it was.
  void goOnWithoutFaulty(bool go_on) { go_on_ = go_on; }
  // What is degraded now, for people, a line each.
  std::vector<std::string> degraded();
  // Of a plugin whose file has changed while it is watched, the new version is compiled and tried aside. Then workers
  // exchange it between two streams; those under way end with the version that they began with. One that fails is
  // logged and counted, and the old one stays.

  // The late plugins that load() has given since the last call of this.
  std::vector<std::shared_ptr<LatePlugin>> takeLate() { return std::exchange(late_, {}); }

 private:
  DegradedPlugins::Environment environment();
  base::Result<std::shared_ptr<const LoadedPlugin>> loadLate(const PluginSpec& spec);
  std::shared_ptr<const LoadedPlugin> goOnWithout(const PluginSpec& spec, const base::Error& why);
  base::Result<std::shared_ptr<const LoadedPlugin>> loadAgain(const std::shared_ptr<LatePlugin>& late,
                                                              const PluginSpec& spec);
  void fetch(const std::shared_ptr<LatePlugin>& late, const PluginSpec& spec);
  base::Result<std::shared_ptr<const std::string>> readCode(const PluginSpec& spec);
  stats::Counter& counter(const PluginSpec& spec, std::string_view what);
  base::Result<std::shared_ptr<const LoadedPlugin>> tryToLoad(const PluginSpec& spec, const std::string& bytes);
  base::Result<std::shared_ptr<const LoadedPlugin>> loadWith(const PluginSpec& spec, const std::string& bytes);
  std::shared_ptr<Successor> successorOf(const PluginSpec& spec, const std::string& key, const std::string& identity);
  void dropUnused();
  void reload(const std::string& name);
  void arrive(const std::shared_ptr<LatePlugin>& late, const PluginSpec& spec, const std::string* code,
              std::string_view why_not);
  base::Result<std::shared_ptr<const PluginCode>> loadCode(const PluginSpec& spec, std::span<const std::byte> module);
  // Done: the module's instances begin when it has started.
  enum class Start : uint8_t { Needed, Done };
  base::Result<std::shared_ptr<const PluginCode>> makeCode(const PluginSpec& spec,
                                                           std::shared_ptr<const wasm::Module> module,
                                                           std::string identity, Start start = Start::Needed);
  // A module's bytes, and the same instrumented for a snapshot: an error where none can be taken, or none is wanted.
  struct Source {
    std::span<const std::byte> module;
    base::Result<std::vector<std::byte>> instrumented;
    std::span<const std::byte> toRun() const { return instrumented.ok() ? std::span(*instrumented) : module; }
  };
  Source sourceOf(const PluginSpec& spec, std::span<const std::byte> module) const;
  // fresh_start.cc: starts and configures it once. If it is to have an instance for each stream, how that begins is
  // found out then.
  base::Result<void> tryOut(LoadedPlugin& plugin, const Source& source);
  base::Result<void> takeSnapshot(StartedPlugin& started, const Source& source, FreshStart& fresh);
  void noteFresh(const LoadedPlugin& plugin, const std::string& why_not);

  wasm::Engine& engine_;
  stats::Store& stats_;
  const base::Clock& clock_;
  const Settings settings_;
  SharedData shared_data_;
  const std::shared_ptr<SharedQueues> shared_queues_ = std::make_shared<SharedQueues>();
  std::vector<std::shared_ptr<LatePlugin>> late_;
  uint64_t asked_ = 0;                                            // Images whose name was asked for what it means now.
  std::map<std::string, std::weak_ptr<const PluginCode>> codes_;  // By identity.
  std::map<std::string, std::weak_ptr<const LoadedPlugin>> plugins_;  // By identity and key.
  struct Watched {
    PluginSpec spec;
    std::string identity;  // Of the newest version.
    std::weak_ptr<Successor> successor;
    std::shared_ptr<const LoadedPlugin> newest;  // Null: there is only the first.
    std::shared_ptr<void> watch;
  };
  std::map<std::string, Watched> watched_;  // By all of the spec.
  bool go_on_ = false;
  DegradedPlugins degraded_;
};

}  // namespace weir::proxy_wasm
