// Which filter chain a connection gets: a decision tree, built once from the chains' criteria and asked per connection.
//
// The criteria are looked at in Envoy's order: destination port, destination address, server name, transport protocol,
// application protocol, direct source address, kind of source, source address, source port. At each the most specific
// branch that fits the connection is taken, and there is no way back: a connection whose server name has a branch of
// its own never gets a chain without server names, even if nothing below that branch fits.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "listener/spec.h"

namespace weir::listener {

// What is known of a connection when its chain is chosen.
struct Arrival {
  const net::Address& local;
  const net::Address& remote;  // As PROXY protocol says, where that is read.
  const net::Address& direct_remote;
  std::string_view server_name;         // Lower case.
  std::string_view transport_protocol;  // Empty: nobody looked.
  std::span<const std::string> application_protocols;
};

class ChainMatcher {
 public:
  ChainMatcher() = default;  // No chains: nothing fits.

  // Errors are the operator's: a server name with a wildcard elsewhere than in its first label, or two chains that a
  // connection could fit alike. The message does not name the listener.
  static base::Result<ChainMatcher> create(std::span<const ChainMatch> chains);

  // The chain's index, or nothing if none fits.
  std::optional<size_t> match(const Arrival& arrival) const;

 private:
  // Ranges of addresses: the longest that holds the address is taken. `rest` is for chains without ranges: any address,
  // also that of a Unix socket.
  template <typename Branch>
  struct ByAddress {
    std::vector<std::pair<net::Cidr, Branch>> ranges;  // Longest first.
    std::optional<Branch> rest;
    Branch& at(const net::Cidr* range);
    const Branch* find(const net::Address& address) const;
  };
  template <typename Branch>
  using ByText = std::map<std::string, Branch, std::less<>>;  // "": chains without this criterion.
  template <typename Branch>
  using ByPort = std::map<uint16_t, Branch>;  // 0: chains without this criterion.

  using SourcePorts = ByPort<size_t>;
  using Sources = ByAddress<SourcePorts>;
  using SourceKinds = std::array<std::optional<Sources>, 3>;
  using DirectSources = ByAddress<SourceKinds>;
  using ApplicationProtocols = ByText<DirectSources>;
  using TransportProtocols = ByText<ApplicationProtocols>;
  using ServerNames = ByText<TransportProtocols>;  // ".example.com" for a wildcard.
  using Destinations = ByAddress<ServerNames>;

  base::Result<void> add(const ChainMatch& chain, size_t index);
  static bool addSources(const ChainMatch& chain, size_t index, SourceKinds& kinds);
  static const TransportProtocols* findServerName(const ServerNames& names, std::string_view name);
  static const DirectSources* findApplication(const ApplicationProtocols& protocols,
                                              std::span<const std::string> offered);
  static const Sources* findKind(const SourceKinds& kinds, const Arrival& arrival);

  ByPort<Destinations> ports_;
};

}  // namespace weir::listener
