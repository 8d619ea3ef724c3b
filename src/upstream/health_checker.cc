#include "upstream/health_checker.h"

#include "base/log.h"

namespace weir::upstream {

HealthChecker::Stats::Stats(stats::Store& store, const std::string& cluster_prefix)
    : attempt(store.counter(cluster_prefix + "health_check.attempt")),
      success(store.counter(cluster_prefix + "health_check.success")),
      failure(store.counter(cluster_prefix + "health_check.failure")),
      passive_failure(store.counter(cluster_prefix + "health_check.passive_failure")),
      network_failure(store.counter(cluster_prefix + "health_check.network_failure")),
      verify_cluster(store.counter(cluster_prefix + "health_check.verify_cluster")),
      healthy(store.gauge(cluster_prefix + "health_check.healthy")),
      degraded(store.gauge(cluster_prefix + "health_check.degraded")) {}

// --- One endpoint ---

class HealthChecker::Session final : public event::Deferred, private HealthProbe::Owner {
 public:
  Session(HealthChecker& checker, std::shared_ptr<const Endpoint> endpoint)
      : checker_(checker),
        endpoint_(std::move(endpoint)),
        verdict_(checker.check_),
        probe_(makeProbe()),
        next_(checker.loop_, [this] { begin(); }),
        timeout_(checker.loop_, [this] { onTimeout(); }) {
    const base::Duration jitter = checker_.check_.initial_jitter;
    next_.arm(jitter > base::Duration::zero()
                  ? base::Duration(checker_.random_.below(static_cast<uint64_t>(jitter.count())))
                  : base::Duration::zero());
  }
  void end() {
    next_.disarm();
    timeout_.disarm();
    probe_->cancel();
  }
  const Endpoint& endpoint() const { return *endpoint_; }
  bool counted = false;  // Among those whose first check the start waits for.

 private:
  std::unique_ptr<HealthProbe> makeProbe() {
    const ProbeParts parts{checker_.loop_,  checker_.connector_,
                           checker_.spec_,  checker_.cluster_stats_,
                           checker_.check_, target(),
                           authority(),     static_cast<HealthProbe::Owner&>(*this)};
    switch (checker_.check_.kind) {
      case HealthCheckSpec::Kind::Tcp: return createTcpProbe(parts);
      case HealthCheckSpec::Kind::Grpc: return createGrpcProbe(parts);
      case HealthCheckSpec::Kind::Http: break;
    }
    return createHttpProbe(parts);
  }
  std::shared_ptr<const Endpoint> target() const {
    const EndpointCheck* own = endpoint_->check.get();
    if (own == nullptr || own->address.family() == 0) return endpoint_;
    auto elsewhere = std::make_shared<Endpoint>(*endpoint_);
    elsewhere->address = own->address;
    return elsewhere;
  }
  // As Envoy: the endpoint's own name for it, the check's, the cluster's.
  std::string authority() const {
    if (endpoint_->check != nullptr && !endpoint_->check->host.empty()) return endpoint_->check->host;
    const HealthCheckSpec& check = checker_.check_;
    const std::string& own = check.kind == HealthCheckSpec::Kind::Grpc ? check.grpc_authority : check.host;
    return own.empty() ? checker_.spec_.name : own;
  }

  void begin() {
    checker_.stats_.attempt.add();
    timeout_.arm(checker_.check_.timeout);
    probe_->check();
  }
  void onTimeout() {
    probe_->expire();
    onChecked({.kind = CheckResult::Kind::Timeout});
  }
  void onChecked(const CheckResult& result) override {
    timeout_.disarm();
    const HealthVerdict::Transition transition = verdict_.judge(*endpoint_->state, result);
    const bool idle = checker_.cluster_stats_.upstream_cx_total.value() == 0;
    next_.arm(verdict_.nextCheck(result, transition, idle, checker_.random_));
    checker_.onResult(*this, result, transition);
  }

  HealthChecker& checker_;
  const std::shared_ptr<const Endpoint> endpoint_;
  HealthVerdict verdict_;
  std::unique_ptr<HealthProbe> probe_;
  event::Timer next_;
  event::Timer timeout_;
};

// --- All of them ---

HealthChecker::HealthChecker(const ClusterSpec& spec, const Environment& environment, Connector& connector,
                             ClusterStats& cluster_stats, Owner& owner)
    : spec_(spec),
      check_(spec.health_checks.front()),
      loop_(environment.loop),
      random_(environment.random),
      connector_(connector),
      cluster_stats_(cluster_stats),
      stats_(environment.stats, cluster_stats.prefix),
      owner_(owner),
      first_round_(environment.loop, [this] { owner_.onFirstRound(); }) {}

HealthChecker::~HealthChecker() = default;

void HealthChecker::setMembers(const std::vector<std::shared_ptr<const Endpoint>>& members) {
  auto before = std::exchange(sessions_, {});
  for (const std::shared_ptr<const Endpoint>& endpoint : members) {
    if (endpoint->check != nullptr && endpoint->check->disabled) continue;
    if (sessions_.contains(endpoint->state.get())) continue;  // An address may be there twice.
    const auto known = before.find(endpoint->state.get());
    if (known != before.end() && known->second->endpoint().address == endpoint->address) {
      sessions_.insert(before.extract(known));
      continue;
    }
    auto session = std::make_unique<Session>(*this, endpoint);
    if (!first_round_told_) {
      session->counted = true;
      ++unchecked_;
    }
    sessions_.emplace(endpoint->state.get(), std::move(session));
  }
  // One of them may be up the stack: a change of health led here.
  for (auto& [state, session] : before) {
    session->end();
    if (session->counted) --unchecked_;
    loop_.destroyLater(std::move(session));
  }
  countHealthy();
  tellIfFirstRound();
}

void HealthChecker::awaitFirstRound() {
  first_round_awaited_ = true;
  tellIfFirstRound();
}

void HealthChecker::onResult(Session& session, const CheckResult& result, HealthVerdict::Transition transition) {
  using Kind = CheckResult::Kind;
  const bool good = result.kind == Kind::Success;
  (good ? stats_.success : stats_.failure).add();
  if (result.kind == Kind::NetworkFailure || result.kind == Kind::Timeout) stats_.network_failure.add();
  if (result.name_read) stats_.verify_cluster.add();
  const std::shared_ptr<EndpointState> state = session.endpoint().state;
  if (std::exchange(session.counted, false)) {
    --unchecked_;
    tellIfFirstRound();
  }
  if (transition == HealthVerdict::Transition::Changed) {
    LOG(Upstream, Debug, "cluster {}: {} is {}", spec_.name, session.endpoint().address.toString(),
        state->has(kFailedActiveCheck) ? "unhealthy" : "healthy");
    countHealthy();
    owner_.onHealthChanged();
  }
  if (good) owner_.onCheckSucceeded(*state);
}

void HealthChecker::countHealthy() {
  int64_t healthy = 0, degraded = 0;
  for (const auto& [state, session] : sessions_) {
    if (!state->has(kFailedActiveCheck)) ++healthy;
    if (state->has(kDegradedActiveCheck)) ++degraded;
  }
  stats_.healthy.set(healthy);
  stats_.degraded.set(degraded);
}

void HealthChecker::tellIfFirstRound() {
  if (unchecked_ > 0 || !first_round_awaited_ || std::exchange(first_round_told_, true)) return;
  first_round_.arm(base::Duration::zero());
}

}  // namespace weir::upstream
