#include "upstream/hashing.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/hash.h"

namespace weir::upstream {
namespace {

struct Weights {
  explicit Weights(const std::vector<Target>& targets) : least(targets[0].weight), most(targets[0].weight) {
    for (const Target& target : targets) {
      sum += target.weight;
      least = std::min(least, target.weight);
      most = std::max(most, target.weight);
    }
  }
  double sum = 0;
  double least;
  double most;
};

}  // namespace

// --- The ring ---

HashRing::HashRing(const BalancingSpec& spec, const std::vector<Target>& targets) {
  CHECK(!targets.empty());
  const Weights weights(targets);
  // The lightest endpoint gets a whole number of points, and all together the smallest size that allows it.
  const double least = weights.least / weights.sum;
  const double scale = std::min(std::ceil(least * static_cast<double>(spec.minimum_ring_size)) / least,
                                static_cast<double>(spec.maximum_ring_size));
  points_.reserve(static_cast<size_t>(std::ceil(scale)));
  double wanted = 0;
  double made = 0;
  std::string name;
  for (size_t i = 0; i < targets.size(); ++i) {
    wanted += scale * targets[i].weight / weights.sum;
    for (uint64_t number = 0; made < wanted; ++number, ++made) {
      name = targets[i].key;
      name += '_';
      name += std::to_string(number);
      const uint64_t hash =
          spec.hash_function == HashFunction::MurmurHash2 ? base::murmurHash2(name) : base::xxHash64(name);
      points_.push_back({hash, static_cast<uint32_t>(i)});
    }
  }
  std::sort(points_.begin(), points_.end(), [](const Point& a, const Point& b) { return a.hash < b.hash; });
}

size_t HashRing::find(uint64_t hash, uint32_t attempt) const {
  const auto at = std::lower_bound(points_.begin(), points_.end(), hash,
                                   [](const Point& point, uint64_t wanted) { return point.hash < wanted; });
  const auto position = static_cast<size_t>(at - points_.begin()) + attempt;
  return points_[position % points_.size()].index;
}

// --- Maglev ---

MaglevTable::MaglevTable(uint64_t size, const std::vector<Target>& targets) {
  CHECK(!targets.empty());
  constexpr uint32_t kFree = UINT32_MAX;
  table_.assign(size, kFree);
  struct Filler {
    uint64_t offset;
    uint64_t skip;
    uint64_t next = 0;
    double goal = 0;
  };
  const Weights weights(targets);
  std::vector<Filler> fillers;
  for (const Target& target : targets) {
    fillers.push_back({base::xxHash64(target.key) % size, base::xxHash64(target.key, 1) % (size - 1) + 1});
  }
  // In each round the heaviest takes a place, and another when its weights of all rounds reach what the heaviest has.
  uint64_t filled = 0;
  for (uint64_t round = 1; filled < size; ++round) {
    for (size_t i = 0; i < fillers.size() && filled < size; ++i) {
      Filler& filler = fillers[i];
      if (static_cast<double>(round) * targets[i].weight < filler.goal) continue;
      filler.goal += weights.most;
      uint64_t place;
      do {
        place = (filler.offset + filler.skip * filler.next++) % size;
      } while (table_[place] != kFree);
      table_[place] = static_cast<uint32_t>(i);
      ++filled;
    }
  }
}

size_t MaglevTable::find(uint64_t hash, uint32_t attempt) const {
  if (attempt > 0) hash ^= ~uint64_t{0} - attempt + 1;
  return table_[hash % table_.size()];
}

// --- As balancers ---

namespace {

// Passes over endpoints that have more than their share of the load (Mirrokni et al., "Consistent hashing with bounded
// loads", as Envoy has it): the next ones are drawn, in an order that depends on the hash alone.
class BoundedLoad {
 public:
  BoundedLoad(uint32_t factor_percent, std::vector<Target> targets)
      : factor_(factor_percent / 100.0), targets_(std::move(targets)), sum_(Weights(targets_).sum) {}

  size_t correct(size_t first, const Ask& ask) const {
    if (factor_ == 0 || overload(first, ask.total_active) <= 1) return first;
    size_t best = first;
    double least = overload(first, ask.total_active);
    base::FastRandom order(ask.hash);
    const size_t count = targets_.size();
    const auto start = static_cast<size_t>(order.below(count));
    for (size_t i = 0; i < count && least > 1; ++i) {
      const size_t other = (start + i) % count;
      const double load = overload(other, ask.total_active);
      if (load < least) {
        least = load;
        best = other;
      }
    }
    return best;
  }

 private:
  // What it would have with this request, by what it may have; above one it is over.
  double overload(size_t index, uint64_t total) const {
    const double share = targets_[index].weight / sum_;
    const double slots = std::max(std::ceil(static_cast<double>(total + 1) * factor_ * share), 1.0);
    return (static_cast<double>(*targets_[index].active) + 1) / slots;
  }

  const double factor_;
  const std::vector<Target> targets_;
  const double sum_;
};

template <typename Table>
class Hashing final : public Balancer {
 public:
  Hashing(Table table, uint32_t balance_factor, std::vector<Target> targets)
      : table_(std::move(table)), bound_(balance_factor, std::move(targets)) {}
  size_t pick(const Ask& ask) override { return bound_.correct(table_.find(ask.hash, ask.attempt), ask); }

 private:
  const Table table_;
  const BoundedLoad bound_;
};

}  // namespace

std::unique_ptr<Balancer> createHashing(const BalancingSpec& spec, std::vector<Target> targets) {
  if (spec.policy == BalancingPolicy::Maglev) {
    MaglevTable table(spec.table_size, targets);
    return std::make_unique<Hashing<MaglevTable>>(std::move(table), spec.hash_balance_factor, std::move(targets));
  }
  HashRing ring(spec, targets);
  return std::make_unique<Hashing<HashRing>>(std::move(ring), spec.hash_balance_factor, std::move(targets));
}

}  // namespace weir::upstream
