// Filter chain match, criterion by criterion, in Envoy's order and without a way back.
#include "listener/chain_matcher.h"

#include <gtest/gtest.h>

namespace weir::listener {
namespace {

using Source = ChainMatch::Source;

// A connection from 10.9.9.9:999 to 192.0.2.1:443, but for what a test says.
struct Connection {
  net::Address local = net::Address::parseIp("192.0.2.1", 443).value();
  net::Address remote = net::Address::parseIp("10.9.9.9", 999).value();
  std::optional<net::Address> direct = std::nullopt;
  std::string name = "";
  std::string transport = "";
  std::vector<std::string> alpn = {};
};

net::Address ip(const char* text, uint16_t port = 1) { return net::Address::parseIp(text, port).value(); }
net::Cidr range(const char* text, uint32_t length) { return net::Cidr::parse(text, length).value(); }

// The index of the chain, or -1.
int chosen(const std::vector<ChainMatch>& chains, const Connection& connection) {
  const auto matcher = ChainMatcher::create(chains);
  if (!matcher.ok()) {
    ADD_FAILURE() << matcher.error().detail;
    return -2;
  }
  const net::Address direct = connection.direct.value_or(connection.remote);
  const auto found = matcher->match(
      {connection.local, connection.remote, direct, connection.name, connection.transport, connection.alpn});
  return found ? static_cast<int>(*found) : -1;
}

std::string refusal(const std::vector<ChainMatch>& chains) {
  const auto matcher = ChainMatcher::create(chains);
  return matcher.ok() ? "" : matcher.error().detail;
}

TEST(ChainMatcher, FitsEverythingWithoutCriteria) {
  EXPECT_EQ(chosen({{}}, {}), 0);
  EXPECT_EQ(chosen({{}}, {.local = net::Address::unixSocket("@l").value(), .remote = {}}), 0);
  EXPECT_EQ(chosen({}, {}), -1);
}

TEST(ChainMatcher, PrefersTheDestinationPortAndDoesNotComeBackFromIt) {
  const std::vector<ChainMatch> chains = {{.destination_port = 443, .server_names = {"a.example"}}, {}};
  EXPECT_EQ(chosen(chains, {.name = "a.example"}), 0);
  EXPECT_EQ(chosen(chains, {.name = "b.example"}), -1);
  EXPECT_EQ(chosen(chains, {.local = ip("192.0.2.1", 80), .name = "b.example"}), 1);
}

TEST(ChainMatcher, TakesTheLongestDestinationRange) {
  const std::vector<ChainMatch> chains = {{.destination_ranges = {range("192.0.0.0", 8)}},
                                          {.destination_ranges = {range("192.0.2.0", 24), range("2001:db8::", 32)}},
                                          {}};
  EXPECT_EQ(chosen(chains, {}), 1);
  EXPECT_EQ(chosen(chains, {.local = ip("192.1.1.1")}), 0);
  EXPECT_EQ(chosen(chains, {.local = ip("2001:db8::1")}), 1);
  EXPECT_EQ(chosen(chains, {.local = ip("8.8.8.8")}), 2);
  EXPECT_EQ(chosen(chains, {.local = net::Address::unixSocket("@l").value()}), 2);
}

TEST(ChainMatcher, TakesTheExactServerNameThenTheLongestWildcardThenNone) {
  const std::vector<ChainMatch> chains = {
      {.server_names = {"www.example.com"}}, {.server_names = {"*.example.com"}}, {.server_names = {"*.com"}}, {}};
  EXPECT_EQ(chosen(chains, {.name = "www.example.com"}), 0);
  EXPECT_EQ(chosen(chains, {.name = "a.b.example.com"}), 1);
  EXPECT_EQ(chosen(chains, {.name = "example.com"}), 2);
  EXPECT_EQ(chosen(chains, {.name = "com"}), 3);
  EXPECT_EQ(chosen(chains, {.name = ""}), 3);
  EXPECT_EQ(chosen({chains[1]}, {.name = "example.com"}), -1);
}

TEST(ChainMatcher, ReadsConfiguredServerNamesInLowerCase) {
  EXPECT_EQ(chosen({{.server_names = {"WWW.Example.COM"}}}, {.name = "www.example.com"}), 0);
}

TEST(ChainMatcher, LooksAtTheTransportProtocolAfterTheServerName) {
  const std::vector<ChainMatch> chains = {
      {.server_names = {"a.example"}, .transport_protocol = "raw_buffer"}, {.transport_protocol = "tls"}, {}};
  EXPECT_EQ(chosen(chains, {.name = "a.example", .transport = "tls"}), -1);
  EXPECT_EQ(chosen(chains, {.name = "b.example", .transport = "tls"}), 1);
  EXPECT_EQ(chosen(chains, {.name = "b.example", .transport = "raw_buffer"}), 2);
}

TEST(ChainMatcher, TakesTheFirstOfTheClientsApplicationProtocolsThatHasAChain) {
  const std::vector<ChainMatch> chains = {
      {.application_protocols = {"http/1.1"}}, {.application_protocols = {"h2", "h2c"}}, {}};
  EXPECT_EQ(chosen(chains, {.alpn = {"h2", "http/1.1"}}), 1);
  EXPECT_EQ(chosen(chains, {.alpn = {"spdy", "http/1.1", "h2"}}), 0);
  EXPECT_EQ(chosen(chains, {.alpn = {"spdy"}}), 2);
  EXPECT_EQ(chosen(chains, {}), 2);
}

TEST(ChainMatcher, TellsTheDirectSourceFromTheRestoredOne) {
  const std::vector<ChainMatch> chains = {{.direct_source_ranges = {range("172.16.0.0", 12)}},
                                          {.source_ranges = {range("10.0.0.0", 8)}}};
  EXPECT_EQ(chosen(chains, {.direct = ip("172.16.1.1")}), 0);
  EXPECT_EQ(chosen(chains, {.direct = ip("8.8.8.8")}), 1);
  EXPECT_EQ(chosen(chains, {.remote = ip("172.16.1.1"), .direct = ip("8.8.8.8")}), -1);
}

TEST(ChainMatcher, TellsSourcesOnThisMachineFromOthers) {
  const std::vector<ChainMatch> chains = {{.source = Source::SameIpOrLoopback}, {.source = Source::External}, {}};
  EXPECT_EQ(chosen(chains, {.remote = ip("127.0.0.1")}), 0);
  EXPECT_EQ(chosen(chains, {.remote = ip("192.0.2.1", 5)}), 0);
  EXPECT_EQ(chosen(chains, {.remote = net::Address::unixSocket("@c").value()}), 0);
  EXPECT_EQ(chosen(chains, {}), 1);
  EXPECT_EQ(chosen({chains[0], chains[2]}, {}), 1);
  EXPECT_EQ(chosen({chains[1]}, {.remote = ip("127.0.0.1")}), -1);
}

TEST(ChainMatcher, LooksAtSourceAddressAndThenAtSourcePort) {
  const std::vector<ChainMatch> chains = {{.source_ranges = {range("10.0.0.0", 8)}, .source_ports = {999, 1000}},
                                          {.source_ranges = {range("10.0.0.0", 8)}},
                                          {.source_ports = {999}},
                                          {}};
  EXPECT_EQ(chosen(chains, {}), 0);
  EXPECT_EQ(chosen(chains, {.remote = ip("10.1.1.1", 5)}), 1);
  EXPECT_EQ(chosen(chains, {.remote = ip("11.1.1.1", 999)}), 2);
  EXPECT_EQ(chosen(chains, {.remote = ip("11.1.1.1", 5)}), 3);
}

TEST(ChainMatcher, DoesNotComeBackFromTheMoreSpecificBranch) {
  const std::vector<ChainMatch> chains = {{.destination_ranges = {range("192.0.2.1", 32)}, .source_ports = {1}},
                                          {.destination_ranges = {range("192.0.2.0", 24)}}};
  EXPECT_EQ(chosen(chains, {}), -1);
}

TEST(ChainMatcher, RefusesChainsThatAConnectionCouldFitAlike) {
  const char* const kSame = "two filter chains have the same matching rules";
  const char* const kOverlap = "multiple filter chains with overlapping matching rules are defined";
  EXPECT_EQ(refusal({{}, {}}), kSame);
  EXPECT_EQ(refusal({{.server_names = {"a"}}, {.server_names = {"a"}}}), kSame);
  EXPECT_EQ(refusal({{.server_names = {"a", "b"}}, {.server_names = {"b"}}}), kOverlap);
  EXPECT_EQ(refusal({{.server_names = {"a.b"}}, {.server_names = {"A.b"}}}), kOverlap);
  EXPECT_EQ(refusal({{.server_names = {"*.b"}}, {.server_names = {".b"}}}), kOverlap);
  EXPECT_EQ(refusal({{.source_ports = {1, 1}}}), kOverlap);
  EXPECT_EQ(refusal({{.destination_ranges = {range("10.1.2.3", 8)}}, {.destination_ranges = {range("10.0.0.0", 8)}}}),
            kSame);
  EXPECT_EQ(refusal({{.server_names = {"a"}, .source_ports = {1}}, {.server_names = {"a"}, .source_ports = {2}}}), "");
}

TEST(ChainMatcher, RefusesWildcardsElsewhereThanInTheFirstLabel) {
  const char* const kPartial = "partial wildcards are not supported in \"server_names\"";
  EXPECT_EQ(refusal({{.server_names = {"a*.b"}}}), kPartial);
  EXPECT_EQ(refusal({{.server_names = {"*"}}}), kPartial);
  EXPECT_EQ(refusal({{.server_names = {"*.b"}}}), "");
}

}  // namespace
}  // namespace weir::listener
