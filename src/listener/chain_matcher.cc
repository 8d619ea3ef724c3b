#include "listener/chain_matcher.h"

#include <algorithm>

#include "http/characters.h"

namespace weir::listener {
namespace {

base::Error refused(std::string detail) {
  return {base::Code::InvalidArgument, base::Side::Operator, base::Retry::No, std::move(detail)};
}

std::string lowerCase(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), http::toLower);
  return out;
}

// Calls visit for each element's address, or once with null if there are none: the criterion is not asked for.
template <typename T, typename Visit>
void eachOrNone(const std::vector<T>& all, Visit visit) {
  if (all.empty()) return visit(static_cast<const T*>(nullptr));
  for (const T& one : all) visit(&one);
}

template <typename Map, typename Key>
const typename Map::mapped_type* branch(const Map& map, const Key& key) {
  const auto at = map.find(key);
  return at == map.end() ? nullptr : &at->second;
}

// The branch of its own, else the one of chains that do not ask.
template <typename Map, typename Key>
const typename Map::mapped_type* branchOrRest(const Map& map, const Key& key, const Key& rest) {
  const auto* own = branch(map, key);
  return own != nullptr ? own : branch(map, rest);
}

bool isSameIpOrLoopback(const Arrival& arrival) {
  if (arrival.remote.family() == AF_UNIX || arrival.remote.isLoopback()) return true;
  return arrival.local.isIp() && arrival.local.withPort(0) == arrival.remote.withPort(0);
}

}  // namespace

template <typename Branch>
Branch& ChainMatcher::ByAddress<Branch>::at(const net::Cidr* range) {
  if (range == nullptr) return rest ? *rest : rest.emplace();
  for (auto& [known, branch] : ranges) {
    if (known == *range) return branch;
  }
  const auto before = std::find_if(ranges.begin(), ranges.end(),
                                   [&](const auto& entry) { return entry.first.length() < range->length(); });
  return ranges.emplace(before, *range, Branch())->second;
}

template <typename Branch>
const Branch* ChainMatcher::ByAddress<Branch>::find(const net::Address& address) const {
  for (const auto& [range, branch] : ranges) {
    if (range.contains(address)) return &branch;
  }
  return rest ? &*rest : nullptr;
}

// --- Building ---

base::Result<ChainMatcher> ChainMatcher::create(std::span<const ChainMatch> chains) {
  ChainMatcher matcher;
  for (size_t i = 0; i < chains.size(); ++i) {
    if (std::find(chains.begin(), chains.begin() + static_cast<ptrdiff_t>(i), chains[i]) !=
        chains.begin() + static_cast<ptrdiff_t>(i)) {
      return refused("two filter chains have the same matching rules");
    }
    if (auto added = matcher.add(chains[i], i); !added.ok()) return std::move(added).error();
  }
  return matcher;
}

base::Result<void> ChainMatcher::add(const ChainMatch& chain, size_t index) {
  for (const std::string& name : chain.server_names) {
    if (name.find('*') != name.npos && !name.starts_with("*.")) {
      return refused("partial wildcards are not supported in \"server_names\"");
    }
  }
  bool unique = true;
  Destinations& destinations = ports_[chain.destination_port.value_or(0)];
  eachOrNone(chain.destination_ranges, [&](const net::Cidr* range) {
    ServerNames& names = destinations.at(range);
    eachOrNone(chain.server_names, [&](const std::string* name) {
      std::string key = name == nullptr ? "" : lowerCase(*name);
      if (key.starts_with("*.")) key.erase(0, 1);
      ApplicationProtocols& protocols = names[key][chain.transport_protocol];
      eachOrNone(chain.application_protocols, [&](const std::string* protocol) {
        DirectSources& direct = protocols[protocol == nullptr ? "" : *protocol];
        eachOrNone(chain.direct_source_ranges,
                   [&](const net::Cidr* source) { unique &= addSources(chain, index, direct.at(source)); });
      });
    });
  });
  if (!unique) return refused("multiple filter chains with overlapping matching rules are defined");
  return base::Ok{};
}

// False if one of the places is taken.
bool ChainMatcher::addSources(const ChainMatch& chain, size_t index, SourceKinds& kinds) {
  std::optional<Sources>& sources = kinds[static_cast<size_t>(chain.source)];
  if (!sources) sources.emplace();
  bool unique = true;
  eachOrNone(chain.source_ranges, [&](const net::Cidr* range) {
    SourcePorts& ports = sources->at(range);
    eachOrNone(chain.source_ports, [&](const uint16_t* port) {
      unique &= ports.emplace(port == nullptr ? uint16_t{0} : *port, index).second;
    });
  });
  return unique;
}

// --- Matching ---

std::optional<size_t> ChainMatcher::match(const Arrival& arrival) const {
  const Destinations* destinations = branchOrRest(ports_, arrival.local.port(), uint16_t{0});
  if (destinations == nullptr) return std::nullopt;
  const ServerNames* names = destinations->find(arrival.local);
  if (names == nullptr) return std::nullopt;
  const TransportProtocols* transports = findServerName(*names, arrival.server_name);
  if (transports == nullptr) return std::nullopt;
  const auto* applications = branchOrRest(*transports, arrival.transport_protocol, std::string_view());
  if (applications == nullptr) return std::nullopt;
  const DirectSources* direct = findApplication(*applications, arrival.application_protocols);
  if (direct == nullptr) return std::nullopt;
  const SourceKinds* kinds = direct->find(arrival.direct_remote);
  if (kinds == nullptr) return std::nullopt;
  const Sources* sources = findKind(*kinds, arrival);
  if (sources == nullptr) return std::nullopt;
  const SourcePorts* ports = sources->find(arrival.remote);
  if (ports == nullptr) return std::nullopt;
  const size_t* chain = branchOrRest(*ports, arrival.remote.port(), uint16_t{0});
  return chain == nullptr ? std::nullopt : std::optional(*chain);
}

// The name itself, then ".example.com" and ".com" for "www.example.com", then chains without server names.
const ChainMatcher::TransportProtocols* ChainMatcher::findServerName(const ServerNames& names, std::string_view name) {
  if (const auto* exact = branch(names, name)) return exact;
  for (size_t dot = name.find('.', 1); dot != name.npos && dot + 1 < name.size(); dot = name.find('.', dot + 1)) {
    if (const auto* wildcard = branch(names, name.substr(dot))) return wildcard;
  }
  return branch(names, std::string_view());
}

// The client's order decides.
const ChainMatcher::DirectSources* ChainMatcher::findApplication(const ApplicationProtocols& protocols,
                                                                 std::span<const std::string> offered) {
  for (const std::string& one : offered) {
    if (const auto* found = branch(protocols, one)) return found;
  }
  return branch(protocols, std::string_view());
}

const ChainMatcher::Sources* ChainMatcher::findKind(const SourceKinds& kinds, const Arrival& arrival) {
  const auto& any = kinds[static_cast<size_t>(ChainMatch::Source::Any)];
  const auto& same = kinds[static_cast<size_t>(ChainMatch::Source::SameIpOrLoopback)];
  const auto& external = kinds[static_cast<size_t>(ChainMatch::Source::External)];
  if (same || external) {
    const auto& own = isSameIpOrLoopback(arrival) ? same : external;
    if (own) return &*own;
  }
  return any ? &*any : nullptr;
}

}  // namespace weir::listener
