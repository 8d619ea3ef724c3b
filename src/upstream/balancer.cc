#include "upstream/balancer.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "upstream/hashing.h"

namespace weir::upstream {

void DeadlineQueue::clear() {
  now_ = 0;
  order_ = 0;
  turns_.clear();
}

void DeadlineQueue::add(size_t index, double weight) {
  turns_.push_back({now_ + 1 / weight, order_++, index});
  std::push_heap(turns_.begin(), turns_.end(), std::greater<>());
}

size_t DeadlineQueue::take() {
  std::pop_heap(turns_.begin(), turns_.end(), std::greater<>());
  const Turn turn = turns_.back();
  turns_.pop_back();
  now_ = turn.deadline;
  return turn.index;
}

// As Envoy: the root of how far the window has passed, and not less than the minimum.
double slowStartFactor(const SlowStartSpec& spec, base::Duration age) {
  if (age >= spec.window) return 1;
  const double passed = std::max(static_cast<double>(age.count()), 1e6) / static_cast<double>(spec.window.count());
  return std::max(std::pow(passed, 1 / spec.aggression), spec.min_weight_percent / 100);
}

namespace {

// In order while all weights are equal, by deadlines where they differ, or where somebody starts slowly.
class ByWeight : public Balancer {
 public:
  ByWeight(const BalancingSpec& spec, std::vector<Target> targets, uint64_t seed)
      : spec_(spec), targets_(std::move(targets)), seed_(seed) {
    CHECK(!targets_.empty());
    equal_ = std::all_of(targets_.begin(), targets_.end(),
                         [&](const Target& target) { return target.weight == targets_[0].weight; });
    for (const Target& target : targets_) youngest_ = std::max(youngest_, target.since);
  }

  size_t pick(const Ask& ask) final {
    if (equal_ && !anySlow(ask.now)) return pickEqual(ask);
    if (queue_.empty()) fill(ask.now);
    return takeNext(ask.now);
  }

 protected:
  virtual size_t pickEqual(const Ask& ask) = 0;
  virtual double loadFactor(const Target& /*target*/) const { return 1; }

  const BalancingSpec spec_;
  const std::vector<Target> targets_;

 private:
  bool anySlow(base::MonotonicTime now) const { return spec_.slow_start && now - youngest_ < spec_.slow_start->window; }

  double weightOf(const Target& target, base::MonotonicTime now) const {
    const double slow = spec_.slow_start ? slowStartFactor(*spec_.slow_start, now - target.since) : 1;
    return std::max(target.weight * slow * loadFactor(target), 1e-9);
  }

  void fill(base::MonotonicTime now) {
    for (size_t i = 0; i < targets_.size(); ++i) queue_.add(i, weightOf(targets_[i], now));
    for (uint64_t skipped = seed_ % targets_.size(); skipped > 0; --skipped) takeNext(now);
  }

  size_t takeNext(base::MonotonicTime now) {
    const size_t index = queue_.take();
    queue_.add(index, weightOf(targets_[index], now));
    return index;
  }

  const uint64_t seed_;
  bool equal_ = true;
  base::MonotonicTime youngest_{};
  DeadlineQueue queue_;
};

class RoundRobin final : public ByWeight {
 public:
  RoundRobin(const BalancingSpec& spec, std::vector<Target> targets, uint64_t seed)
      : ByWeight(spec, std::move(targets), seed), next_(seed) {}

 private:
  size_t pickEqual(const Ask& /*ask*/) override { return static_cast<size_t>(next_++ % targets_.size()); }
  uint64_t next_;
};

// Of some drawn at random, the one with the fewest requests; with different weights, by weights that requests lessen.
class LeastRequest final : public ByWeight {
 public:
  using ByWeight::ByWeight;

 private:
  size_t pickEqual(const Ask& ask) override {
    size_t best = static_cast<size_t>(ask.random.below(targets_.size()));
    for (uint32_t i = 1; i < spec_.choice_count; ++i) {
      const auto other = static_cast<size_t>(ask.random.below(targets_.size()));
      if (*targets_[other].active < *targets_[best].active) best = other;
    }
    return best;
  }
  double loadFactor(const Target& target) const override {
    if (spec_.active_request_bias == 0) return 1;
    const double active = static_cast<double>(*target.active) + 1;
    return 1 / (spec_.active_request_bias == 1 ? active : std::pow(active, spec_.active_request_bias));
  }
};

// As Envoy's: weights do not count.
class RandomChoice final : public Balancer {
 public:
  explicit RandomChoice(size_t count) : count_(count) {}
  size_t pick(const Ask& ask) override { return static_cast<size_t>(ask.random.below(count_)); }

 private:
  const size_t count_;
};

}  // namespace

std::unique_ptr<Balancer> createBalancer(const BalancingSpec& spec, std::vector<Target> targets, uint64_t seed) {
  switch (spec.policy) {
    case BalancingPolicy::RoundRobin: return std::make_unique<RoundRobin>(spec, std::move(targets), seed);
    case BalancingPolicy::LeastRequest: return std::make_unique<LeastRequest>(spec, std::move(targets), seed);
    case BalancingPolicy::Random: return std::make_unique<RandomChoice>(targets.size());
    case BalancingPolicy::RingHash:
    case BalancingPolicy::Maglev: return createHashing(spec, std::move(targets));
  }
  return nullptr;
}

}  // namespace weir::upstream
