#include "upstream/outlier.h"

#include <algorithm>
#include <cmath>

#include "base/log.h"

namespace weir::upstream {
namespace {

constexpr size_t kCauses = 7;
constexpr std::string_view kCauseNames[kCauses] = {
    "consecutive_5xx",           "consecutive_gateway_failure", "consecutive_local_origin_failure", "success_rate",
    "local_origin_success_rate", "failure_percentage",          "local_origin_failure_percentage"};

size_t number(EjectionCause cause) { return static_cast<size_t>(cause); }

bool isGatewayFailure(int status) { return status >= 502 && status <= 504; }

std::optional<EjectionCause> noteExternal(const OutlierSpec& spec, EndpointState& state, int status) {
  state.external.all.fetch_add(1, std::memory_order_relaxed);
  if (status < 500) {
    state.external.good.fetch_add(1, std::memory_order_relaxed);
    // Read first: what stays zero need not be written, and the line not be taken from other workers.
    if (state.consecutive_5xx.load(std::memory_order_relaxed) != 0) state.consecutive_5xx = 0;
    if (state.consecutive_gateway_failures.load(std::memory_order_relaxed) != 0) state.consecutive_gateway_failures = 0;
    return std::nullopt;
  }
  std::optional<EjectionCause> cause;
  if (isGatewayFailure(status)) {
    if (++state.consecutive_gateway_failures == spec.consecutive_gateway_failure) {
      cause = EjectionCause::ConsecutiveGatewayFailure;
    }
  } else {
    state.consecutive_gateway_failures = 0;
  }
  // Both may be reached at once; the one that is enforced by default is told.
  if (++state.consecutive_5xx == spec.consecutive_5xx) cause = EjectionCause::Consecutive5xx;
  return cause;
}

std::optional<EjectionCause> noteLocal(const OutlierSpec& spec, EndpointState& state, bool good) {
  state.local.all.fetch_add(1, std::memory_order_relaxed);
  if (good) {
    state.local.good.fetch_add(1, std::memory_order_relaxed);
    if (state.consecutive_local_failures.load(std::memory_order_relaxed) != 0) state.consecutive_local_failures = 0;
    return std::nullopt;
  }
  if (++state.consecutive_local_failures != spec.consecutive_local_origin_failure) return std::nullopt;
  return EjectionCause::ConsecutiveLocalOriginFailure;
}

}  // namespace

// Without the split, what happens on our side counts as the answer that the client gets for it.
std::optional<EjectionCause> noteOutcome(const OutlierSpec& spec, EndpointState& state, Outcome outcome, int status) {
  if (spec.split_local_origin) {
    if (outcome == Outcome::Answered) return noteExternal(spec, state, status);
    return noteLocal(spec, state, outcome == Outcome::Connected);
  }
  switch (outcome) {
    case Outcome::Answered: return noteExternal(spec, state, status);
    case Outcome::Connected: return std::nullopt;
    case Outcome::ConnectFailed: return noteExternal(spec, state, 503);
    case Outcome::Timeout: return noteExternal(spec, state, status == 0 ? 504 : status);
  }
  return std::nullopt;
}

// --- Stats ---

OutlierStats::OutlierStats(stats::Store& store, const std::string& cluster_prefix)
    : enforced_total(store.counter(cluster_prefix + "outlier_detection.ejections_enforced_total")),
      overflow(store.counter(cluster_prefix + "outlier_detection.ejections_overflow")),
      active(store.gauge(cluster_prefix + "outlier_detection.ejections_active")),
      total(store.counter(cluster_prefix + "outlier_detection.ejections_total")),
      consecutive_5xx(store.counter(cluster_prefix + "outlier_detection.ejections_consecutive_5xx")),
      success_rate(store.counter(cluster_prefix + "outlier_detection.ejections_success_rate")) {
  for (size_t i = 0; i < kCauses; ++i) {
    const std::string start = cluster_prefix + "outlier_detection.ejections_";
    by_cause[i] = {&store.counter(start + "detected_" + std::string(kCauseNames[i])),
                   &store.counter(start + "enforced_" + std::string(kCauseNames[i]))};
  }
}

// --- The judge ---

OutlierDetector::OutlierDetector(const OutlierSpec& spec, event::Loop& loop, base::Random& random, stats::Store& store,
                                 const std::string& cluster_prefix, Owner& owner)
    : spec_(spec), loop_(loop), random_(random), stats_(store, cluster_prefix), owner_(owner), interval_(loop, [this] {
        onInterval();
      }) {
  interval_.arm(spec_.interval);
}

OutlierDetector::~OutlierDetector() { stats_.active.sub(static_cast<int64_t>(ejected_)); }

void OutlierDetector::setMembers(const std::vector<std::shared_ptr<EndpointState>>& members) {
  std::unordered_map<EndpointState*, Record> before = std::exchange(records_, {});
  for (const std::shared_ptr<EndpointState>& state : members) {
    const auto known = before.find(state.get());
    if (known == before.end()) {
      records_.emplace(state.get(), Record{.state = state});
      continue;
    }
    records_.insert(before.extract(known));
  }
  for (const auto& [state, record] : before) {
    if (!state->has(kFailedOutlierCheck)) continue;
    --ejected_;
    stats_.active.sub();
  }
}

void OutlierDetector::onSuspect(const std::shared_ptr<EndpointState>& endpoint, EjectionCause cause) {
  const auto record = records_.find(endpoint.get());
  if (record == records_.end()) return;
  // The row begins anew: the next one as long is another reason.
  if (cause == EjectionCause::Consecutive5xx) endpoint->consecutive_5xx = 0;
  if (cause == EjectionCause::ConsecutiveGatewayFailure) endpoint->consecutive_gateway_failures = 0;
  if (cause == EjectionCause::ConsecutiveLocalOriginFailure) endpoint->consecutive_local_failures = 0;
  if (endpoint->has(kFailedOutlierCheck)) return;
  eject(record->second, cause);
  if (std::exchange(changed_, false)) owner_.onEjectionsChanged();
}

bool OutlierDetector::mayEject() const {
  if (ejected_ == 0 && spec_.always_eject_one) return true;
  // With this one too it may not be more than the share.
  return 100 * (ejected_ + 1) <= spec_.max_ejection_percent * records_.size();
}

bool OutlierDetector::enforced(EjectionCause cause) {
  const uint32_t percents[kCauses] = {spec_.enforcing_consecutive_5xx,
                                      spec_.enforcing_consecutive_gateway_failure,
                                      spec_.enforcing_consecutive_local_origin_failure,
                                      spec_.enforcing_success_rate,
                                      spec_.enforcing_local_origin_success_rate,
                                      spec_.enforcing_failure_percentage,
                                      spec_.enforcing_failure_percentage_local_origin};
  return random_.below(100) < percents[number(cause)];
}

void OutlierDetector::eject(Record& record, EjectionCause cause) {
  stats_.by_cause[number(cause)].detected->add();
  const bool old_kind = cause == EjectionCause::Consecutive5xx || cause == EjectionCause::SuccessRate;
  if (cause == EjectionCause::Consecutive5xx) stats_.consecutive_5xx.add();
  if (cause == EjectionCause::SuccessRate) stats_.success_rate.add();
  if (!mayEject()) {
    stats_.overflow.add();
    return;
  }
  if (old_kind) stats_.total.add();
  if (!enforced(cause)) return;
  stats_.by_cause[number(cause)].enforced->add();
  stats_.enforced_total.add();
  stats_.active.add();
  ++ejected_;
  // The time does not grow over its limit, and so need not shrink from far above it later.
  if (spec_.base_ejection_time * record.multiplier < spec_.max_ejection_time) ++record.multiplier;
  record.ejected = loop_.now();
  record.jitter = spec_.max_ejection_time_jitter > base::Duration::zero()
                      ? base::Duration(random_.below(static_cast<uint64_t>(spec_.max_ejection_time_jitter.count())))
                      : base::Duration::zero();
  record.state->set(kFailedOutlierCheck);
  changed_ = true;
  LOG(Upstream, Debug, "an endpoint is ejected: {}", kCauseNames[number(cause)]);
}

base::Duration OutlierDetector::ejectionTime(const Record& record) const {
  return std::min<base::Duration>(spec_.base_ejection_time * record.multiplier, spec_.max_ejection_time) +
         record.jitter;
}

void OutlierDetector::takeBack(Record& record) {
  record.state->clear(kFailedOutlierCheck);
  record.state->consecutive_5xx = 0;
  record.state->consecutive_gateway_failures = 0;
  record.state->consecutive_local_failures = 0;
  stats_.active.sub();
  --ejected_;
  changed_ = true;
}

void OutlierDetector::onCheckSucceeded(EndpointState& endpoint) {
  if (!spec_.active_check_unejects || !endpoint.has(kFailedOutlierCheck)) return;
  const auto record = records_.find(&endpoint);
  if (record == records_.end()) return;
  takeBack(record->second);
  if (std::exchange(changed_, false)) owner_.onEjectionsChanged();
}

void OutlierDetector::onInterval() {
  for (auto& [state, record] : records_) takeBackOrForgive(record);
  judgeRates({&EndpointState::external, &EndpointState::success_rate, EjectionCause::SuccessRate,
              EjectionCause::FailurePercentage});
  if (spec_.split_local_origin) {
    judgeRates({&EndpointState::local, &EndpointState::local_success_rate, EjectionCause::LocalOriginSuccessRate,
                EjectionCause::LocalOriginFailurePercentage});
  }
  interval_.arm(spec_.interval);
  if (std::exchange(changed_, false)) owner_.onEjectionsChanged();
}

void OutlierDetector::takeBackOrForgive(Record& record) {
  if (!record.state->has(kFailedOutlierCheck)) {
    if (record.multiplier > 0) --record.multiplier;
    return;
  }
  if (loop_.now() - record.ejected >= ejectionTime(record)) takeBack(record);
}

// Rates of one interval: against the others' (so many standard deviations below their mean) and by themselves.
void OutlierDetector::judgeRates(const Rates& rates) {
  struct Judged {
    Record* record;
    double rate;
  };
  std::vector<Judged> by_rate, by_percentage;
  for (auto& [state, record] : records_) {
    OutcomeCounts& counts = state->*rates.counts;
    const uint32_t all = counts.all.exchange(0, std::memory_order_relaxed);
    const uint32_t good = counts.good.exchange(0, std::memory_order_relaxed);
    (state->*rates.shown).store(-1, std::memory_order_relaxed);
    if (all == 0 || state->has(kFailedOutlierCheck)) continue;
    const double rate = 100.0 * good / all;
    if (all >= spec_.success_rate_request_volume) {
      by_rate.push_back({&record, rate});
      (state->*rates.shown).store(rate, std::memory_order_relaxed);
    }
    if (all >= spec_.failure_percentage_request_volume) by_percentage.push_back({&record, rate});
  }
  if (!by_rate.empty() && by_rate.size() >= spec_.success_rate_minimum_hosts) {
    double mean = 0, variance = 0;
    for (const Judged& one : by_rate) mean += one.rate / static_cast<double>(by_rate.size());
    for (const Judged& one : by_rate) variance += (one.rate - mean) * (one.rate - mean);
    variance /= static_cast<double>(by_rate.size());
    const double least = mean - spec_.success_rate_stdev_factor / 1000.0 * std::sqrt(variance);
    for (const Judged& one : by_rate) {
      if (one.rate < least && !one.record->state->has(kFailedOutlierCheck)) eject(*one.record, rates.by_rate);
    }
  }
  if (by_percentage.empty() || by_percentage.size() < spec_.failure_percentage_minimum_hosts) return;
  for (const Judged& one : by_percentage) {
    const bool failed = 100 - one.rate >= spec_.failure_percentage_threshold;
    if (failed && !one.record->state->has(kFailedOutlierCheck)) eject(*one.record, rates.by_percentage);
  }
}

}  // namespace weir::upstream
