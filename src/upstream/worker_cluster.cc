#include "upstream/worker_cluster.h"

#include <algorithm>
#include <unordered_map>

#include "base/log.h"
#include "upstream/announcement.h"
#include "upstream/kept_text.h"
#include "upstream/raw_stream.h"

namespace weir::upstream {
namespace {

LoadBalancer::Settings settingsOf(const ClusterSpec& spec) {
  return {.balancing = spec.balancing,
          .overprovisioning_percent = spec.assignment.overprovisioning_percent,
          .weighted_priority_health = spec.assignment.weighted_priority_health,
          .exclude_unchecked = spec.ignore_new_until_checked};
}

bool sameCheck(const std::shared_ptr<const EndpointCheck>& a, const std::shared_ptr<const EndpointCheck>& b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->address == b->address && a->host == b->host && a->disabled == b->disabled;
}

bool sameEndpoint(const Endpoint& a, const Endpoint& b) {
  return a.address == b.address && a.hostname == b.hostname && sameText(a.metadata, b.metadata) &&
         a.weight == b.weight && a.priority == b.priority && a.locality == b.locality && a.state == b.state &&
         sameText(a.locality_metadata, b.locality_metadata) && sameCheck(a.check, b.check) &&
         a.announced_tlvs == b.announced_tlvs;
}

}  // namespace

WorkerCluster::WorkerCluster(const ClusterSpec& spec, const Environment& environment, net::Resolver& resolver,
                             Connector& connector, std::shared_ptr<SharedCluster> shared,
                             std::function<void()> on_first_answers)
    : spec_(spec),
      metadata_(keepText(spec.metadata)),
      stats_(environment.stats, spec.alt_stat_name.empty() ? spec.name : spec.alt_stat_name),
      loop_(environment.loop),
      on_first_answers_(std::move(on_first_answers)),
      secure_(environment.loop, connector, spec_, stats_),
      shared_(std::move(shared)),
      ear_(*shared_, environment.loop, static_cast<SharedCluster::Listener&>(*this), environment.leads),
      leads_(environment.leads),
      pool_parts_{EndpointPool::Shared{environment.loop, environment.random, secure_, spec_, stats_,
                                       shared_->breakers(false), [this](EndpointPool& pool) { onRetired(pool); }},
                  EndpointPool::Shared{environment.loop, environment.random, secure_, spec_, stats_,
                                       shared_->breakers(true), [this](EndpointPool& pool) { onRetired(pool); }}},
      membership_degraded_(environment.stats.gauge(stats_.prefix + "membership_degraded")),
      membership_excluded_(environment.stats.gauge(stats_.prefix + "membership_excluded")),
      balancer_(environment.random, environment.stats.counter(stats_.prefix + "lb_healthy_panic")),
      balancing_(settingsOf(spec_)),
      refresh_(environment.loop, [this] { refresh(); }),
      membership_(spec_, environment, resolver, stats_, *shared_, *this) {
  if (!leads_ || (spec_.health_checks.empty() && !spec_.outlier)) return;
  guard_ = std::make_unique<Guard>(spec_, environment, secure_, stats_, *shared_, [this] { on_first_answers_(); });
}

// A stream whose last bytes are on their way; the stream itself limits how long that may take.
class WorkerCluster::Departing final : public event::Deferred, private net::ByteStream::Receiver {
 public:
  Departing(WorkerCluster& cluster, std::unique_ptr<net::ByteStream> stream)
      : cluster_(cluster), stream_(std::move(stream)) {}
  void begin() {
    stream_->start(*this);
    stream_->close(net::ByteStream::Close::Flush);
  }

 private:
  void onBytes(base::BufferChain& received) override { received.clear(); }
  void onEnd() override {}
  void onClosed(const base::Error&) override { onFlushed(); }
  void onFlushed() override {
    cluster_.departing_.remove_if([this](std::unique_ptr<Departing>& each) {
      if (each.get() != this) return false;
      cluster_.loop_.destroyLater(std::move(each));
      return true;
    });
  }
  WorkerCluster& cluster_;
  std::unique_ptr<net::ByteStream> stream_;
};

// Streams that depart use the cluster; that they end now is no news to anyone.
WorkerCluster::~WorkerCluster() {
  on_unused_ = nullptr;
  departing_.clear();
}

// --- Requests ---

std::unique_ptr<Acquisition> WorkerCluster::acquire(ConnectionWaiter& waiter, const Wish& wish) {
  const std::optional<size_t> index = pick(wish);
  if (index) return poolOf(hosts_[*index], wish.high_priority).acquire(waiter, wish);
  waiter.onNoConnection(AcquireFailure::NoEndpoint, nullptr, "");
  return nullptr;
}

std::optional<size_t> WorkerCluster::pick(const Wish& wish) {
  const auto active = static_cast<uint64_t>(std::max<int64_t>(stats_.upstream_rq_active.value(), 0));
  const std::optional<size_t> index = balancer_.pick(wish, active, loop_.now());
  if (!index) stats_.upstream_cx_none_healthy.add();
  return index;
}

std::shared_ptr<const Endpoint> WorkerCluster::choose(const Wish& wish) {
  const std::optional<size_t> index = pick(wish);
  return index ? hosts_[*index].endpoint : nullptr;
}

EndpointPool& WorkerCluster::poolOf(Host& host, bool high_priority) {
  std::unique_ptr<EndpointPool>& pool = host.pools[high_priority ? 1 : 0];
  if (pool == nullptr) pool = std::make_unique<EndpointPool>(pool_parts_[high_priority ? 1 : 0], host.endpoint);
  return *pool;
}

StreamOffer WorkerCluster::openStream(const Wish& wish, const filter::ConnectionInfo& client) {
  const std::optional<size_t> index = pick(wish);
  if (!index) return {};
  const std::shared_ptr<const Endpoint>& endpoint = hosts_[*index].endpoint;
  Breakers& breakers = shared_->breakers(wish.high_priority);
  const bool fits = breakers.connections.hasRoom() &&
                    endpoint->state->connections.load(std::memory_order_relaxed) < spec_.max_connections_per_endpoint;
  if (!fits) {
    stats_.upstream_cx_overflow.add();
    return {nullptr, endpoint, AcquireFailure::Overflow};
  }
  Connector::Purpose purpose{.raw = true};
  net::ProxyHeader announced;
  if (spec_.announcement) {
    announced = announcedClient(*spec_.announcement, client);
    purpose.client = &announced;
  }
  auto stream = secure_.connectTo(*endpoint, purpose, spec_.connect_timeout);
  return {std::make_unique<RawStream>(loop_, *this, breakers, endpoint, std::move(stream)), endpoint, {}};
}

void WorkerCluster::flush(std::unique_ptr<net::ByteStream> stream) {
  departing_.push_back(std::make_unique<Departing>(*this, std::move(stream)));
  departing_.back()->begin();
}

std::vector<const Endpoint*> WorkerCluster::endpoints() const {
  std::vector<const Endpoint*> endpoints;
  for (const Host& host : hosts_) endpoints.push_back(host.endpoint.get());
  return endpoints;
}

std::optional<RetryPlace> WorkerCluster::admitRetry(bool high_priority) {
  Breakers& breakers = shared_->breakers(high_priority);
  if (breakers.retryHasRoom()) return RetryPlace(breakers);
  stats_.upstream_rq_retry_overflow.add();
  return std::nullopt;
}

void WorkerCluster::report(const Endpoint& endpoint, Outcome outcome, int status) {
  if (!spec_.outlier) return;
  const std::optional<EjectionCause> cause = noteOutcome(*spec_.outlier, *endpoint.state, outcome, status);
  if (cause) shared_->tellLeader(endpoint.state, static_cast<int>(*cause));
}

void WorkerCluster::onSuspect(const std::shared_ptr<EndpointState>& endpoint, int cause) {
  if (guard_ != nullptr) guard_->onSuspect(endpoint, static_cast<EjectionCause>(cause));
}

// --- Members ---

void WorkerCluster::assign(const Assignment& assignment) {
  balancing_.overprovisioning_percent = assignment.overprovisioning_percent;
  balancing_.weighted_priority_health = assignment.weighted_priority_health;
  membership_.assign(assignment);
}

void WorkerCluster::onFirstAnswers() {
  if (guard_ != nullptr) return guard_->await();
  on_first_answers_();
}

// Members that stay keep their connections. So does the one of LOGICAL_DNS when its address changes: only new
// connections go to the new address.
void WorkerCluster::onMembers(const std::vector<Member>& members) {
  const bool logical = spec_.discovery == Discovery::LogicalDns;
  const auto keyOf = [logical](const Endpoint& endpoint) { return logical ? "" : endpoint.address.toString(); };
  std::unordered_multimap<std::string, Host> before;  // An address may be there twice.
  for (Host& host : hosts_) before.emplace(keyOf(*host.endpoint), std::move(host));
  hosts_.clear();
  bool changed = false;          // Something that balancing depends on.
  bool members_changed = false;  // Who they are.
  for (const Member& member : members) {
    Host& host = hosts_.emplace_back();
    const auto known = before.find(keyOf(*member.endpoint));
    if (known != before.end()) {
      host = std::move(known->second);
      before.erase(known);
    } else {
      members_changed = true;
    }
    changed = take(host, member) || changed;
  }
  for (auto& [key, host] : before) {
    if (keepsUnlisted(host)) {
      changed = host.endpoint->state->set(kPendingRemoval) || changed;
      hosts_.push_back(std::move(host));
      continue;
    }
    members_changed = true;
    retireHost(std::move(host));
  }
  if (members_changed) {
    LOG(Upstream, Debug, "cluster {} has {} endpoints", spec_.name, members.size());
    if (leads_) stats_.membership_change.add();
    if (spec_.close_connections_on_change) drain();
  }
  refresh();
  tellGuard();
}

// True if anything about the host is new.
bool WorkerCluster::take(Host& host, const Member& member) const {
  member.endpoint->state->clear(kPendingRemoval);
  const bool known = host.endpoint != nullptr;
  const bool same = known && sameEndpoint(*host.endpoint, *member.endpoint);
  const bool same_weight = std::exchange(host.locality_weight, member.locality_weight) == member.locality_weight;
  if (!same) {
    if (known) {
      EndpointCounts counts = host.endpoint->counts;  // What is under way is counted where it began.
      counts.cx_active = counts.rq_active = 0;
      member.endpoint->counts = counts;
    } else {
      host.since = loop_.now();
      host.healthy = healthOf(member.endpoint->state->flags()) != Health::Unhealthy;
    }
    host.endpoint = member.endpoint;
    for (const auto& pool : host.pools) {
      if (pool != nullptr) pool->setEndpoint(member.endpoint);
    }
  }
  return !same || !same_weight;
}

// As Envoy: what names or an assignment do not list any more is kept while its checks succeed.
bool WorkerCluster::keepsUnlisted(const Host& host) const {
  if (spec_.health_checks.empty() || spec_.ignore_health_on_removal) return false;
  const EndpointCheck* check = host.endpoint->check.get();
  return (check == nullptr || !check->disabled) && !host.endpoint->state->has(kFailedActiveCheck);
}

// Looks at everybody's health and sorts them anew.
void WorkerCluster::refresh() {
  const size_t count = hosts_.size();
  std::vector<Host> gone;
  for (Host& host : hosts_) noteHealth(host);
  const auto unwanted = std::stable_partition(hosts_.begin(), hosts_.end(), [](const Host& host) {
    const EndpointState& state = *host.endpoint->state;
    return !(state.has(kPendingRemoval) && state.has(kFailedActiveCheck));
  });
  for (auto at = unwanted; at != hosts_.end(); ++at) gone.push_back(std::move(*at));
  hosts_.erase(unwanted, hosts_.end());
  std::vector<Candidate> candidates;
  candidates.reserve(hosts_.size());
  for (const Host& host : hosts_) {
    candidates.push_back({host.endpoint.get(), host.locality_weight, host.endpoint->state->flags(), host.since});
  }
  balancer_.rebuild(balancing_, candidates);
  countMembers();
  if (hosts_.size() == count) return;
  for (Host& host : gone) retireHost(std::move(host));
  if (leads_) stats_.membership_change.add();
  tellGuard();
}

void WorkerCluster::noteHealth(Host& host) {
  const EndpointState& state = *host.endpoint->state;
  const bool healthy = healthOf(state.flags()) != Health::Unhealthy;
  if (host.healthy == healthy) return;
  host.healthy = healthy;
  if (healthy) host.since = loop_.now();
  if (state.has(kFailedActiveCheck) && spec_.close_connections_on_unhealthy) drain(host);
}

void WorkerCluster::countMembers() {
  if (!leads_) return;
  const LoadBalancer::Totals& totals = balancer_.totals();
  stats_.membership_total.set(totals.all);
  stats_.membership_healthy.set(totals.healthy);
  membership_degraded_.set(totals.degraded);
  membership_excluded_.set(totals.excluded);
}

void WorkerCluster::tellGuard() {
  if (guard_ == nullptr) return;
  std::vector<std::shared_ptr<const Endpoint>> endpoints;
  for (const Host& host : hosts_) endpoints.push_back(host.endpoint);
  guard_->setMembers(endpoints);
}

// --- The end ---

void WorkerCluster::drain() {
  for (const Host& host : hosts_) drain(host);
}

void WorkerCluster::drain(const Host& host) {
  for (const auto& pool : host.pools) {
    if (pool != nullptr) pool->drain();
  }
}

void WorkerCluster::retire(std::function<void(WorkerCluster&)> on_unused) {
  drain();
  on_unused_ = std::move(on_unused);
  const ClusterUse none_but_this(*this);  // Tells by its end, if it is the only one.
}

void WorkerCluster::onUnused() {
  if (on_unused_) std::exchange(on_unused_, nullptr)(*this);
}

void WorkerCluster::retireHost(Host host) {
  for (std::unique_ptr<EndpointPool>& pool : host.pools) {
    if (pool == nullptr) continue;
    EndpointPool& gone = *pool;
    retired_.push_back(std::move(pool));
    gone.retire();
  }
}

void WorkerCluster::onRetired(EndpointPool& pool) {
  const auto at =
      std::find_if(retired_.begin(), retired_.end(), [&](const auto& other) { return other.get() == &pool; });
  loop_.destroyLater(std::move(*at));
  retired_.erase(at);
}

}  // namespace weir::upstream
