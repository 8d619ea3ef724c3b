#include "upstream/membership.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/log.h"
#include "base/wire.h"
#include "upstream/kept_text.h"

namespace weir::upstream {
namespace {

// As envoy.config.core.v3.Locality.
std::string serialized(const Locality& locality) {
  std::string out;
  uint32_t field = 0;
  for (const std::string* name : {&locality.region, &locality.zone, &locality.sub_zone}) {
    ++field;
    if (!name->empty()) base::putField(field, *name, out);
  }
  return out;
}

net::LookupFamily familyOf(DnsFamily family) {
  switch (family) {
    case DnsFamily::Auto: return net::LookupFamily::Auto;
    case DnsFamily::V4Only: return net::LookupFamily::V4Only;
    case DnsFamily::V6Only: return net::LookupFamily::V6Only;
    case DnsFamily::V4Preferred: return net::LookupFamily::V4Preferred;
    case DnsFamily::All: return net::LookupFamily::All;
  }
  return net::LookupFamily::Auto;
}

std::shared_ptr<const EndpointCheck> checkOf(const net::Address& address, const EndpointSpec& spec) {
  if (spec.check_port == 0 && spec.check_ip.empty() && spec.check_host.empty() && !spec.check_disabled) return nullptr;
  auto check = std::make_shared<EndpointCheck>();
  check->host = spec.check_host;
  check->disabled = spec.check_disabled;
  if (!spec.check_ip.empty()) {
    check->address = net::Address::parseIp(spec.check_ip, spec.check_port).value();  // Looked at by the configuration.
  } else if (spec.check_port != 0 && address.isIp()) {
    check->address = address.withPort(spec.check_port);
  }
  return check;
}

// What the configuration says of an endpoint's health; every worker says the same.
void setAssignedHealth(AssignedHealth health, EndpointState& state) {
  const auto put = [&state](HealthFlag flag, bool on) { on ? state.set(flag) : state.clear(flag); };
  put(kFailedByAssignment, health == AssignedHealth::Unhealthy || health == AssignedHealth::Timeout);
  put(kDegradedByAssignment, health == AssignedHealth::Degraded);
  put(kDrainingByAssignment, health == AssignedHealth::Draining);
}

}  // namespace

// As Envoy: who is to be checked is taken for unhealthy until then.
uint32_t Membership::initialFlags(const EndpointSpec& endpoint) const {
  if (spec_.health_checks.empty() || endpoint.check_disabled) return 0;
  return kFailedActiveCheck | (spec_.ignore_new_until_checked ? uint32_t{kPendingActiveCheck} : 0);
}

Member Membership::memberAt(const net::Address& address, const EndpointSpec& spec) {
  auto endpoint = std::make_shared<Endpoint>();
  endpoint->address = address;
  // As Envoy: an address that was configured as such has no name, so nothing is rewritten to it.
  const bool is_name = !net::Address::parseIp(spec.host, 0).ok();
  endpoint->hostname = spec.hostname.empty() && is_name ? spec.host : spec.hostname;
  endpoint->metadata = keepText(spec.metadata);
  endpoint->announced_tlvs = spec.announced_tlvs;
  endpoint->weight = std::max(spec.weight, 1u);
  endpoint->priority = spec.priority;
  endpoint->locality = spec.locality;
  endpoint->locality_message = keepText(serialized(spec.locality));
  endpoint->locality_metadata = keepText(spec.locality_metadata);
  endpoint->check = checkOf(address, spec);
  // The one endpoint of LOGICAL_DNS stays the same one when its address changes.
  const bool logical = spec_.discovery == Discovery::LogicalDns;
  endpoint->state = shared_.endpoint(logical ? spec.host : address.toString(), initialFlags(spec));
  setAssignedHealth(spec.health, *endpoint->state);
  return {std::move(endpoint), spec.locality_weight};
}

Membership::Target::Target(Membership& membership, const EndpointSpec& spec)
    : spec(spec), refresh(membership.loop_, [this, &membership] { membership.ask(*this); }) {}

Membership::Membership(const ClusterSpec& spec, const Environment& environment, net::Resolver& resolver,
                       ClusterStats& stats, SharedCluster& shared, Listener& listener)
    : spec_(spec),
      loop_(environment.loop),
      random_(environment.random),
      resolver_(resolver),
      stats_(stats),
      shared_(shared),
      listener_(listener),
      leads_(environment.leads) {}

void Membership::start() {
  if (spec_.discovery == Discovery::Assigned) return;
  if (spec_.discovery == Discovery::Static) {
    take(spec_.assignment.endpoints);
    return listener_.onFirstAnswers();
  }
  for (const EndpointSpec& endpoint : spec_.assignment.endpoints) {
    targets_.push_back(std::make_unique<Target>(*this, endpoint));
    if (spec_.discovery == Discovery::LogicalDns) break;  // It has one name.
  }
  unanswered_ = targets_.size();
  if (targets_.empty()) return listener_.onFirstAnswers();
  for (const auto& target : targets_) ask(*target);
  if (!spec_.wait_for_warm && unanswered_ > 0) {
    unanswered_ = 0;
    listener_.onFirstAnswers();
  }
}

void Membership::assign(const Assignment& assignment) {
  take(assignment.endpoints);
  if (!std::exchange(assigned_, true)) listener_.onFirstAnswers();
}

void Membership::take(const std::vector<EndpointSpec>& endpoints) {
  std::vector<Member> members;
  for (const EndpointSpec& endpoint : endpoints) {
    const base::Result<net::Address> address = endpoint.unix_path.empty()
                                                   ? net::Address::parseIp(endpoint.host, endpoint.port)
                                                   : net::Address::unixSocket(endpoint.unix_path);
    if (address.ok()) {
      members.push_back(memberAt(*address, endpoint));
    } else {
      LOG(Upstream, Error, "cluster {}: {}", spec_.name, address.error().detail);
    }
  }
  listener_.onMembers(members);
}

void Membership::ask(Target& target) {
  target.query.reset();
  count(stats_.update_attempt);
  target.query =
      resolver_.resolve(target.spec.host, familyOf(spec_.dns_family),
                        [this, &target](base::Result<net::Resolved> answer) { onAnswer(target, std::move(answer)); });
}

void Membership::onAnswer(Target& target, base::Result<net::Resolved> answer) {
  const bool absent = !answer.ok() && answer.error().code == base::Code::NotFound;
  const bool logical = spec_.discovery == Discovery::LogicalDns;
  count(answer.ok() || absent ? stats_.update_success : stats_.update_failure);
  if (!answer.ok()) LOG(Upstream, Debug, "cluster {}: {}", spec_.name, answer.error().detail);
  if (answer.ok()) {
    target.members.clear();
    for (const net::Resolved::Entry& entry : answer->entries) {
      target.members.push_back(memberAt(entry.address.withPort(target.spec.port), target.spec));
      if (logical) break;
    }
  }
  if (absent && !logical) target.members.clear();

  target.failures = answer.ok() || absent ? 0 : target.failures + 1;
  target.refresh.arm(nextRefresh(target, answer));
  const bool first = !std::exchange(target.answered, true);
  if (answer.ok() || absent) tell();
  if (first && unanswered_ > 0 && --unanswered_ == 0) listener_.onFirstAnswers();
}

base::Duration Membership::nextRefresh(const Target& target, const base::Result<net::Resolved>& answer) const {
  if (target.failures > 0 && spec_.dns_failure_refresh) {
    // As Envoy's back-off with jitter: somewhere below an interval that doubles with each failure.
    const auto [first, most] = *spec_.dns_failure_refresh;
    const base::Duration bound = std::min(most, first * (int64_t{1} << std::min(target.failures - 1, 20u)));
    return base::Duration(random_.below(static_cast<uint64_t>(bound.count())));
  }
  return refreshAfter(answer) + jitter();
}

base::Duration Membership::jitter() const {
  if (spec_.dns_jitter <= base::Duration::zero()) return base::Duration::zero();
  return base::Duration(random_.below(static_cast<uint64_t>(spec_.dns_jitter.count())));
}

base::Duration Membership::refreshAfter(const base::Result<net::Resolved>& answer) const {
  if (!spec_.respect_dns_ttl || !answer.ok()) return spec_.dns_refresh;
  base::Duration shortest = base::Duration::max();
  for (const net::Resolved::Entry& entry : answer->entries) shortest = std::min(shortest, entry.ttl);
  return shortest > base::Duration::zero() ? shortest : spec_.dns_refresh;
}

// An address that several names have is one endpoint.
void Membership::tell() {
  std::vector<Member> members;
  std::unordered_set<std::string> known;
  for (const auto& target : targets_) {
    for (const Member& member : target->members) {
      if (known.insert(member.endpoint->address.toString()).second) members.push_back(member);
    }
  }
  listener_.onMembers(members);
}

}  // namespace weir::upstream
