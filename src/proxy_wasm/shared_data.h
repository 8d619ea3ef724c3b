// The key-value store that plugins share across workers: a space per vm_id, as in Envoy (the empty vm_id is one, too).
// Beyond Envoy, keys may have a life time, can be deleted and listed, and a space may have bounds of its plugins' own,
// as a cache (proto/weir/plugins/v1/shared_data.proto).
//
// Thread-safe. A space lives as long as some plugin code of that vm_id does.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/entry_budget.h"
#include "proxy_wasm/abi.h"

namespace weir::proxy_wasm {

class SharedData {
 public:
  struct Write {
    enum class If : uint8_t {
      CasOrNew,  // As proxy_set_shared_data: cas 0: whatever is there; else what is there has it, or there is nothing.
      Cas,       // What is there has it.
      New,       // There is nothing.
    };
    If condition = If::CasOrNew;
    uint32_t cas = 0;
    base::Duration life{};         // Zero: no end.
    size_t most_bytes = SIZE_MAX;  // The operator's bound of all that is here.
  };
  struct Listed {
    std::string key;
    uint32_t cas;
    size_t size;
    base::Duration left;  // Of its life; zero: no end.
  };
  struct List {
    std::vector<Listed> entries;
    bool more = false;
  };
  struct Bounds {
    size_t bytes = SIZE_MAX;
    size_t entries = SIZE_MAX;
    bool evict = false;  // What was not used for the longest makes room; else the write is refused.
  };
  struct Use {
    size_t bytes;
    size_t entries;
    uint64_t evicted;
    uint64_t expired;
  };

  // A key whose life is over is not there, for anybody. The clock is asked only where something has a life time.
  class Space {
   public:
    static constexpr size_t kMostListed = 1000;
    static constexpr size_t kMostListedBytes = 256 * 1024;
    // In one call, so that no worker holds the others up: a write that takes more room than that makes is refused.
    static constexpr size_t kMostDropped = 4096;

    // Copies the value into `value`; NotFound if there is none.
    AbiStatus get(std::string_view key, const base::Clock& clock, std::string& value, uint32_t& cas);
    // CasMismatch: the condition does not hold. InternalFailure: there is no room. cas, if it is given: of what is
    // there now.
    AbiStatus set(std::string_view key, std::string_view value, const Write& how, const base::Clock& clock,
                  uint32_t* cas = nullptr);
    // NotFound, or CasMismatch where the cas is not 0 and not that of what is there.
    AbiStatus erase(std::string_view key, uint32_t cas, const base::Clock& clock);
    // Those that begin with prefix and come after `after`, in the order of their bytes; at most so many, kMostListed
    // and kMostListedBytes.
    List list(std::string_view prefix, std::string_view after, size_t most, const base::Clock& clock);
    // Told what holds, may change it; from the next write on it is kept.
    template <typename Change>
    void bound(Change change) {
      const std::lock_guard lock(mutex_);
      change(bounds_);
    }
    // It may count keys whose life is over, until writes have met them.
    Use use(const base::Clock& clock);

   private:
    struct Entry;
    using Entries = std::map<std::string, Entry, std::less<>>;
    struct Entry {
      std::string value;
      uint32_t cas = 0;
      base::MonotonicTime end = base::MonotonicTime::max();
      std::list<std::string_view>::iterator place;  // In used_.
    };
    static bool ends(const Entry& entry) { return entry.end != base::MonotonicTime::max(); }
    static base::Duration leftOf(const Entry& entry, const base::Clock& clock) {
      return ends(entry) ? entry.end - clock.monotonic() : base::Duration();
    }
    Entries::iterator find(std::string_view key, const base::Clock& clock);
    bool makeRoom(std::string_view key, size_t before, size_t after, size_t most_bytes);
    void touch(Entry& entry) { used_.splice(used_.begin(), used_, entry.place); }
    void live(Entries::iterator at, base::MonotonicTime end);
    void expire(const base::Clock& clock);
    void drop(Entries::iterator at);

    std::mutex mutex_;
    Entries entries_;
    std::list<std::string_view> used_;                                 // Keys; the one used last is the first.
    std::set<std::pair<base::MonotonicTime, std::string_view>> ends_;  // Of keys with a life time.
    base::EntryBudget budget_;
    Bounds bounds_;
    uint64_t evicted_ = 0;
    uint64_t expired_ = 0;
    uint32_t next_cas_ = 1;
  };

  // The space of that vm_id; a new one if nobody holds it any more.
  std::shared_ptr<Space> space(const std::string& vm_id);

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<Space>> spaces_;
};

}  // namespace weir::proxy_wasm
