#include "upstream/load_balancer.h"

#include <algorithm>
#include <map>

namespace weir::upstream {
namespace {

bool isHashing(const BalancingSpec& spec) {
  return spec.policy == BalancingPolicy::RingHash || spec.policy == BalancingPolicy::Maglev;
}

std::string hashKey(const BalancingSpec& spec, const Endpoint& endpoint) {
  if (!isHashing(spec)) return "";
  return spec.use_hostname_for_hashing ? endpoint.hostname : endpoint.address.toString();
}

}  // namespace

// --- Members and their health ---

LoadBalancer::Kind LoadBalancer::kindOf(uint32_t flags) const {
  if (exclude_unchecked_ && (flags & kPendingActiveCheck) != 0) return Kind::Excluded;
  if ((flags & kDrainingByAssignment) != 0) return Kind::Excluded;  // It is meant to go: no sign of trouble.
  switch (healthOf(flags)) {
    case Health::Healthy: return Kind::Healthy;
    case Health::Degraded: return Kind::Degraded;
    case Health::Unhealthy: return Kind::Unhealthy;
  }
  return Kind::Unhealthy;
}

void LoadBalancer::rebuild(const Settings& settings, std::span<const Candidate> candidates) {
  spec_ = settings.balancing;
  overprovisioning_ = settings.overprovisioning_percent;
  exclude_unchecked_ = settings.exclude_unchecked;
  by_weight_ = settings.weighted_priority_health;
  candidates_.assign(candidates.begin(), candidates.end());
  totals_ = {};
  shares_.clear();
  by_address_.clear();
  addresses_.clear();
  uint32_t count = 1;
  for (const Candidate& candidate : candidates) count = std::max(count, candidate.endpoint->priority + 1);
  priorities_.clear();
  priorities_.resize(count);
  std::vector<PriorityHealth> health;
  std::vector<std::vector<uint32_t>> by_priority(count);
  for (uint32_t i = 0; i < candidates_.size(); ++i) by_priority[candidates_[i].endpoint->priority].push_back(i);
  for (uint32_t number = 0; number < count; ++number) {
    priorities_[number].all.members = std::move(by_priority[number]);
    health.push_back(sort(priorities_[number]));
  }
  loads_ = shareLoad(health, overprovisioning_, spec_.panic_threshold);
}

PriorityHealth LoadBalancer::sort(Priority& priority) {
  PriorityHealth health;
  for (const uint32_t index : priority.all.members) {
    const Candidate& candidate = candidates_[index];
    const Kind kind = kindOf(candidate.flags);
    const uint64_t share = by_weight_ ? candidate.endpoint->weight : 1;
    ++totals_.all;
    if (kind == Kind::Excluded) {
      ++totals_.excluded;
      continue;
    }
    health.all += share;
    if (kind == Kind::Healthy) {
      ++totals_.healthy;
      health.healthy += share;
      priority.healthy.whole.members.push_back(index);
    }
    if (kind == Kind::Degraded) {
      ++totals_.degraded;
      health.degraded += share;
      priority.degraded.whole.members.push_back(index);
    }
  }
  if (spec_.locality_weighted) {
    splitByLocality(priority.healthy, priority.all);
    splitByLocality(priority.degraded, priority.all);
  }
  return health;
}

// A locality's weight is lessened by the share of it that is not available, overprovisioned as priorities are.
void LoadBalancer::splitByLocality(Group& group, const Pool& all) {
  struct Part {
    uint32_t weight = 0;
    uint64_t all = 0;
    std::vector<uint32_t> members;
    double sum = 0;
  };
  std::map<Locality, Part> parts;
  for (const uint32_t index : all.members) {
    Part& part = parts[candidates_[index].endpoint->locality];
    part.weight = candidates_[index].locality_weight;
    if (kindOf(candidates_[index].flags) != Kind::Excluded) ++part.all;
  }
  for (const uint32_t index : group.whole.members) {
    Part& part = parts[candidates_[index].endpoint->locality];
    part.members.push_back(index);
    part.sum += candidates_[index].endpoint->weight;
  }
  for (auto& [locality, part] : parts) {
    if (part.members.empty() || part.weight == 0) continue;
    const double available = static_cast<double>(part.members.size()) / static_cast<double>(part.all);
    const double weight = part.weight * std::min(1.0, available * overprovisioning_ / 100);
    group.localities.weights.push_back(weight);
    group.localities.turns.add(group.localities.pools.size(), weight);
    Pool& pool = group.localities.pools.emplace_back();
    pool.members = std::move(part.members);
    // For hashing, which has one table of all: an endpoint's weight is its part of its locality's.
    for (const uint32_t index : pool.members) shares_[index] = weight * candidates_[index].endpoint->weight / part.sum;
  }
}

// --- Picking ---

LoadBalancer::Pool* LoadBalancer::poolFor(uint64_t hash) {
  const PriorityChoice choice = choosePriority(loads_, hash);
  Priority& priority = priorities_[choice.priority];
  if (loads_[choice.priority].panic) {
    panics_.add();
    return &priority.all;
  }
  Group& group = choice.degraded ? priority.degraded : priority.healthy;
  if (isHashing(spec_) || group.localities.pools.empty()) return &group.whole;
  const size_t locality = group.localities.turns.take();
  group.localities.turns.add(locality, group.localities.weights[locality]);
  return &group.localities.pools[locality];
}

std::optional<size_t> LoadBalancer::pick(const Wish& wish, uint64_t total_active, base::MonotonicTime now) {
  if (loads_.empty()) return std::nullopt;
  if (!wish.override_host.empty()) [[unlikely]] {
    if (const auto index = named(wish.override_host)) return index;
  }
  const uint64_t hash = isHashing(spec_) && wish.hash ? *wish.hash : random_.next();
  Pool* const pool = poolFor(hash);
  if (pool->members.empty()) return std::nullopt;
  Ask ask{.random = random_, .hash = hash, .total_active = total_active, .now = now};
  // A few tries by the policy, then whoever has not been tried, then anybody.
  for (; ask.attempt <= 2 * wish.avoid.size(); ++ask.attempt) {
    const size_t index = pickFrom(*pool, ask);
    if (!tried(index, wish)) return index;
  }
  for (const uint32_t index : pool->members) {
    if (!tried(index, wish)) return index;
  }
  return pickFrom(*pool, ask);
}

// As Envoy: one that is healthy or degraded.
std::optional<size_t> LoadBalancer::named(std::string_view address) {
  if (addresses_.empty()) {
    addresses_.reserve(candidates_.size());
    for (size_t i = 0; i < candidates_.size(); ++i) {
      addresses_.push_back(candidates_[i].endpoint->address.toString());
      if (healthOf(candidates_[i].flags) != Health::Unhealthy) by_address_.emplace(addresses_.back(), i);
    }
  }
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? std::nullopt : std::optional(found->second);
}

size_t LoadBalancer::pickFrom(Pool& pool, const Ask& ask) {
  if (pool.balancer == nullptr) {
    std::vector<Target> targets;
    for (const uint32_t index : pool.members) targets.push_back(targetOf(index));
    pool.balancer = createBalancer(spec_, std::move(targets), random_.next());
  }
  return pool.members[pool.balancer->pick(ask)];
}

Target LoadBalancer::targetOf(uint32_t index) const {
  const Candidate& candidate = candidates_[index];
  const auto share = isHashing(spec_) ? shares_.find(index) : shares_.end();
  return {.weight = share == shares_.end() ? candidate.endpoint->weight : share->second,
          .active = &candidate.endpoint->counts.rq_active,
          .key = hashKey(spec_, *candidate.endpoint),
          .since = candidate.since};
}

bool LoadBalancer::tried(size_t index, const Wish& wish) const {
  const Endpoint& endpoint = *candidates_[index].endpoint;
  return std::any_of(wish.avoid.begin(), wish.avoid.end(),
                     [&](const Endpoint* other) { return other == &endpoint || other->address == endpoint.address; });
}

}  // namespace weir::upstream
