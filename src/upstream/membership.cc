#include "upstream/membership.h"

#include <algorithm>

#include "base/log.h"

namespace weir::upstream {
namespace {

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

Member memberAt(const net::Address& address, const EndpointSpec& spec) {
  auto endpoint = std::make_shared<Endpoint>();
  endpoint->address = address;
  // As Envoy: an address that was configured as such has no name, so nothing is rewritten to it.
  const bool is_name = !net::Address::parseIp(spec.host, 0).ok();
  endpoint->hostname = spec.hostname.empty() && is_name ? spec.host : spec.hostname;
  if (!spec.metadata.empty()) endpoint->metadata = std::make_shared<const std::string>(spec.metadata);
  return {std::move(endpoint), spec.weight};
}

}  // namespace

Membership::Target::Target(Membership& membership, const EndpointSpec& spec)
    : spec(spec), refresh(membership.loop_, [this, &membership] { membership.ask(*this); }) {}

Membership::Membership(const ClusterSpec& spec, event::Loop& loop, net::Resolver& resolver, ClusterStats& stats,
                       Listener& listener)
    : spec_(spec), loop_(loop), resolver_(resolver), stats_(stats), listener_(listener) {}

void Membership::start() {
  if (spec_.discovery == Discovery::Static) return takeStatic();
  for (const EndpointSpec& endpoint : spec_.endpoints) {
    targets_.push_back(std::make_unique<Target>(*this, endpoint));
    if (spec_.discovery == Discovery::LogicalDns) break;  // It has one name.
  }
  unanswered_ = targets_.size();
  if (targets_.empty()) return listener_.onFirstAnswers();
  for (const auto& target : targets_) ask(*target);
}

void Membership::takeStatic() {
  std::vector<Member> members;
  for (const EndpointSpec& endpoint : spec_.endpoints) {
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
  listener_.onFirstAnswers();
}

void Membership::ask(Target& target) {
  target.query.reset();
  stats_.update_attempt.add();
  target.query =
      resolver_.resolve(target.spec.host, familyOf(spec_.dns_family),
                        [this, &target](base::Result<net::Resolved> answer) { onAnswer(target, std::move(answer)); });
}

void Membership::onAnswer(Target& target, base::Result<net::Resolved> answer) {
  const bool absent = !answer.ok() && answer.error().code == base::Code::NotFound;
  const bool logical = spec_.discovery == Discovery::LogicalDns;
  (answer.ok() || absent ? stats_.update_success : stats_.update_failure).add();
  if (!answer.ok()) LOG(Upstream, Debug, "cluster {}: {}", spec_.name, answer.error().detail);
  if (answer.ok()) {
    target.members.clear();
    for (const net::Resolved::Entry& entry : answer->entries) {
      target.members.push_back(memberAt(entry.address.withPort(target.spec.port), target.spec));
      if (logical) break;
    }
  }
  if (absent && !logical) target.members.clear();

  target.refresh.arm(nextRefresh(answer));
  const bool first = !std::exchange(target.answered, true);
  if (answer.ok() || absent) tell();
  if (first && --unanswered_ == 0) listener_.onFirstAnswers();
}

base::Duration Membership::nextRefresh(const base::Result<net::Resolved>& answer) const {
  if (!spec_.respect_dns_ttl || !answer.ok()) return spec_.dns_refresh;
  base::Duration shortest = base::Duration::max();
  for (const net::Resolved::Entry& entry : answer->entries) shortest = std::min(shortest, entry.ttl);
  return shortest > base::Duration::zero() ? shortest : spec_.dns_refresh;
}

// An address that several names have is one endpoint.
void Membership::tell() {
  std::vector<Member> members;
  for (const auto& target : targets_) {
    for (const Member& member : target->members) {
      const bool known = std::any_of(members.begin(), members.end(), [&](const Member& other) {
        return other.endpoint->address == member.endpoint->address;
      });
      if (!known) members.push_back(member);
    }
  }
  listener_.onMembers(members);
}

}  // namespace weir::upstream
