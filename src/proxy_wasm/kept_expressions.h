// The expressions that the guest of one VM has made, by their tokens.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "cel/expression.h"

namespace weir::proxy_wasm {

class KeptExpressions {
 public:
  static constexpr size_t kMax = 1024;

  // nullopt: there are too many.
  std::optional<uint32_t> keep(cel::Expression expression) {
    if (kept_.size() >= kMax) return std::nullopt;
    while (kept_.contains(next_)) ++next_;  // Wrapped around.
    kept_.emplace(next_, std::move(expression));
    return next_++;
  }
  const cel::Expression* find(uint32_t token) const {
    const auto found = kept_.find(token);
    return found == kept_.end() ? nullptr : &found->second;
  }
  bool empty() const { return kept_.empty(); }
  void drop(uint32_t token) { kept_.erase(token); }

 private:
  std::unordered_map<uint32_t, cel::Expression> kept_;
  uint32_t next_ = 0;
};

}  // namespace weir::proxy_wasm
