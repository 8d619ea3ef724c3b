#include "proxy_wasm/call_stats.h"

#include <utility>

namespace weir::proxy_wasm {

CallStats::Named& CallStats::named(size_t callback) {
  std::unique_ptr<Named>& named = rows_[callback].named;
  if (named == nullptr) {
    const std::string name = prefix_ + std::string(proxy_wasm::name(static_cast<Callback>(callback)));
    named = std::make_unique<Named>(
        Named{store_.counter(name + ".calls"), store_.counter(name + ".errors"), store_.histogram(name + ".time_ns")});
  }
  return *named;
}

void CallStats::took(Callback callback, base::Duration time) {
  named(static_cast<size_t>(callback)).time.record(static_cast<uint64_t>(time.count()));
}

void CallStats::failed(Callback callback) { named(static_cast<size_t>(callback)).errors.add(); }

void CallStats::publish() {
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (rows_[i].calls > 0) named(i).calls.add(std::exchange(rows_[i].calls, 0));
  }
}

}  // namespace weir::proxy_wasm
