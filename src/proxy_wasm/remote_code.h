// Plugin code that comes from elsewhere (vm_config.code.remote): fetched by a cluster of the configuration, checked by
// its SHA-256, and kept in a directory of ours, so that the next start needs nobody. Or an image of a registry
// (oci://), whose name may mean another one tomorrow: the pull policy says when it is asked again, and where the
// registry cannot be asked then, the copy pulled last is used.
//
// What goes wrong is tried again, as often as the retry policy says; then whoever waits is told. From there on it is
// tried every now and then, until it is there or nobody wants it any more.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "event/timer.h"
#include "proxy_wasm/fetch.h"
#include "proxy_wasm/image_pull.h"
#include "proxy_wasm/kept_code.h"
#include "proxy_wasm/spec.h"
#include "stats/stats.h"
#include "wasm/module_cache.h"

namespace weir::proxy_wasm {

// One per process; main thread.
class RemoteCode {
 public:
  // As Envoy: what failed is not asked for again so soon, and what nobody used for so long is forgotten.
  static constexpr base::Duration kNegativeTime = std::chrono::seconds(10);
  static constexpr base::Duration kForgetAfter = std::chrono::hours(24);
  // Between tries once all tries of the policy have failed: at least so long.
  static constexpr base::Duration kLateRetry = std::chrono::seconds(10);

  // disk: where code is kept; nothing: in memory only.
  RemoteCode(event::Loop& loop, stats::Store& stats, std::optional<wasm::ModuleCache> disk,
             RegistrySettings registries = {});
  ~RemoteCode();

  // The code if it is here; counts a hit, or a miss. What the pull policy wants to have asked for first is a miss,
  // unless nothing else would do (nack_on_miss): then it is given, and asked for meanwhile.
  std::shared_ptr<const std::string> find(const RemoteSource& source);

  // Whether each use of it begins with a question to the registry.
  bool asksFirst(const RemoteSource& source) const;

  // Told with null and the reason when all tries of the policy have failed, and with the code when it is here; never
  // within the call.
  using Told = std::function<void(const std::string* code, std::string_view why_not)>;
  // Fetches it. told: kept until the code is here. Code that is being fetched is not fetched twice.
  void want(const RemoteSource& source, std::weak_ptr<const void> while_alive, Told told);

  // For those who want it as long as there is a proxy.
  std::weak_ptr<const void> always() const { return alive_; }

  // From now on fetches can be sent.
  void begin(Fetch fetch);

 private:
  struct Entry {
    RemoteSource source;
    std::shared_ptr<const std::string> code;  // Null: not here, or on disk.
    std::optional<KeptCode::Image> image;     // As pulled last by this process.
    bool under_way = false;
    bool given_up = false;  // All tries of the policy have failed; what is tried now is for later.
    uint32_t tries = 0;
    base::MonotonicTime used{};
    base::MonotonicTime failed{};
    std::string why_not = {};  // Of the last failure.
    struct Waiting {
      std::weak_ptr<const void> alive;
      Told told;
    };
    std::vector<Waiting> waiting;
    std::unique_ptr<event::Timer> timer;
  };

  // wasm.remote_load_...; as Envoy, there from the first use on.
  struct Stats {
    stats::Counter& cache_hits;
    stats::Counter& cache_misses;
    stats::Counter& cache_negative_hits;
    stats::Counter& fetch_successes;
    stats::Counter& fetch_failures;
    stats::Gauge& cache_entries;
  };

  // wasm.oci_...: there from the first image on.
  struct ImageStats {
    stats::Counter& pulled;
    stats::Counter& unchanged;
    stats::Counter& last_good_used;
    stats::Counter& over_limit;
  };

  Stats& counted();
  ImageStats& countedImages();
  static std::string nameOf(const RemoteSource& source);
  void forgetOld();
  std::optional<KeptCode::Image> keptImage(const RemoteSource& source) const;
  std::shared_ptr<const std::string> kept(const RemoteSource& source) const;
  void start(const std::string& name);
  void startPull(const std::string& name, const Entry& entry);
  void onImage(const std::string& name, base::Result<PulledImage> image);
  void onAnswer(const std::string& name, base::Result<std::string> code);
  void onFailure(Entry& entry, const base::Error& why);
  bool useLastGood(Entry& entry);
  base::Duration nextPause(const Entry& entry);
  static void end(Entry& entry, const std::string& code);
  static void tell(Entry& entry, const std::string* code);
  void countEntries();

  event::Loop& loop_;
  base::FastRandom random_;  // Of pauses.
  const KeptCode disk_;
  const RegistrySettings registries_;
  Fetch fetch_;  // Empty until begin().
  std::map<std::string, Entry> entries_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();  // For answers that come late.
  stats::Store& store_;
  std::optional<Stats> stats_;
  std::optional<ImageStats> image_stats_;
};

}  // namespace weir::proxy_wasm
