// The key-value store that plugins share across workers: a space per vm_id, as in Envoy (the empty vm_id is one, too).
//
// Thread-safe. A space lives as long as some plugin code of that vm_id does.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/entry_budget.h"
#include "proxy_wasm/abi.h"

namespace weir::proxy_wasm {

class SharedData {
 public:
  class Space {
   public:
    // Copies the value into `value`; NotFound if there is none.
    AbiStatus get(std::string_view key, std::string& value, uint32_t& cas) const;
    // cas 0: whatever is there. Otherwise the value there must have this cas, or there must be none. InternalFailure:
    // with it, all that is here would be more than so many bytes.
    AbiStatus set(std::string_view key, std::string_view value, uint32_t cas, size_t most_bytes = SIZE_MAX);

   private:
    struct Entry {
      std::string value;
      uint32_t cas = 0;
    };
    mutable std::mutex mutex_;
    std::map<std::string, Entry, std::less<>> entries_;
    base::EntryBudget budget_;
    uint32_t next_cas_ = 1;
  };

  // The space of that vm_id; a new one if nobody holds it any more.
  std::shared_ptr<Space> space(const std::string& vm_id);

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<Space>> spaces_;
};

}  // namespace weir::proxy_wasm
