// envoy.config.listener.v3.FilterChainMatch: which connections a filter chain is for.
#include "config/values.h"
#include "listener/chain_matcher.h"

namespace weir::config {
namespace {

using envoy::config::listener::v3::FilterChainMatch;
using Ranges = google::protobuf::RepeatedPtrField<envoy::config::core::v3::CidrRange>;

std::vector<net::Cidr> convertRanges(const Ranges& ranges, const Place& place) {
  std::vector<net::Cidr> out;
  for (int i = 0; i < ranges.size(); ++i) {
    const auto range = net::Cidr::parse(ranges[i].address_prefix(), ranges[i].prefix_len().value());
    if (range.ok()) {
      out.push_back(*range);
    } else {
      place.item(static_cast<size_t>(i))
          .field("address_prefix")
          .fault(FaultKind::Rule, fmt::format("expected an IP address, got '{}'", ranges[i].address_prefix()));
    }
  }
  return out;
}

listener::ChainMatch::Source convertSource(FilterChainMatch::ConnectionSourceType type) {
  switch (type) {
    case FilterChainMatch::SAME_IP_OR_LOOPBACK: return listener::ChainMatch::Source::SameIpOrLoopback;
    case FilterChainMatch::EXTERNAL: return listener::ChainMatch::Source::External;
    default: return listener::ChainMatch::Source::Any;
  }
}

}  // namespace

listener::ChainMatch convertChainMatch(const FilterChainMatch& match, const Place& place) {
  listener::ChainMatch out;
  if (match.has_destination_port()) out.destination_port = static_cast<uint16_t>(match.destination_port().value());
  out.destination_ranges = convertRanges(match.prefix_ranges(), place.field("prefix_ranges"));
  out.server_names.assign(match.server_names().begin(), match.server_names().end());
  out.transport_protocol = match.transport_protocol();
  out.application_protocols.assign(match.application_protocols().begin(), match.application_protocols().end());
  out.direct_source_ranges =
      convertRanges(match.direct_source_prefix_ranges(), place.field("direct_source_prefix_ranges"));
  out.source = convertSource(match.source_type());
  out.source_ranges = convertRanges(match.source_prefix_ranges(), place.field("source_prefix_ranges"));
  for (const uint32_t port : match.source_ports()) out.source_ports.push_back(static_cast<uint16_t>(port));
  return out;
}

void checkChainMatches(const std::vector<FilterChainSpec>& chains, const Place& place) {
  std::vector<listener::ChainMatch> matches;
  for (const FilterChainSpec& chain : chains) matches.push_back(chain.match);
  const auto matcher = listener::ChainMatcher::create(matches);
  if (!matcher.ok()) place.fault(FaultKind::Conflict, matcher.error().detail);
}

}  // namespace weir::config
