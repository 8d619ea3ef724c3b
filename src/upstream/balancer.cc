#include "upstream/balancer.h"

#include <algorithm>

#include "base/check.h"

namespace weir::upstream {

void RoundRobin::setWeights(const std::vector<uint32_t>& weights) {
  weights_ = weights;
  for (uint32_t& weight : weights_) weight = std::max(weight, 1u);
  turns_ = {};
  order_ = 0;
  equal_ = std::adjacent_find(weights_.begin(), weights_.end(), std::not_equal_to<>()) == weights_.end();
  if (equal_) return;
  for (size_t i = 0; i < weights_.size(); ++i) turns_.push({1.0 / weights_[i], order_++, i});
  for (uint64_t skipped = seed_ % weights_.size(); skipped > 0; --skipped) pickByDeadline();
}

size_t RoundRobin::pick() {
  CHECK(!weights_.empty());
  return equal_ ? static_cast<size_t>(next_++ % weights_.size()) : pickByDeadline();
}

size_t RoundRobin::pickByDeadline() {
  Turn turn = turns_.top();
  turns_.pop();
  const size_t index = turn.index;
  turn.deadline += 1.0 / weights_[index];
  turn.order = order_++;
  turns_.push(turn);
  return index;
}

}  // namespace weir::upstream
