#include "proxy_wasm/log_budget.h"

#include <algorithm>
#include <utility>

namespace weir::proxy_wasm {

std::optional<uint64_t> LogBudget::take(size_t bytes, base::MonotonicTime now) {
  if (rate_ == 0) return 0;
  const std::lock_guard lock(mutex_);
  const double passed = filled_ ? std::chrono::duration<double>(now - *filled_).count() : 0;
  filled_ = now;
  left_ = static_cast<uint64_t>(
      std::min(static_cast<double>(rate_), static_cast<double>(left_) + passed * static_cast<double>(rate_)));
  const uint64_t cost = bytes + kLineBytes;
  if (cost > left_) {
    ++dropped_;
    return std::nullopt;
  }
  left_ -= cost;
  return std::exchange(dropped_, 0);
}

}  // namespace weir::proxy_wasm
