#include "net/dns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <map>
#include <optional>

#include "net/fd.h"
#include "net/test_peers.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

// A name server on a loopback port that answers from a table.
class NameServer final : event::IoHandler {
 public:
  explicit NameServer(event::Loop& loop) : loop_(loop), socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    const Address any = loopback();
    EXPECT_EQ(::bind(socket_.get(), any.sockaddrPtr(), any.length()), 0);
    EXPECT_TRUE(loop_.watch(socket_.get(), event::kReadable, *this).ok());
  }
  ~NameServer() { loop_.unwatch(socket_.get()); }
  std::string address() const {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&storage), &length);
    return Address::fromSockaddr(reinterpret_cast<sockaddr*>(&storage), length).toString();
  }

  std::vector<std::string> v4, v6;
  int ttl = 30;
  bool silent = false;
  bool no_such_name = false;
  std::vector<int> asked;  // Types, in order.

 private:
  static void put16(std::string& out, int value) {
    out += static_cast<char>(value >> 8);
    out += static_cast<char>(value);
  }
  // RFC 1035 4.1: header, the question as it came, and an answer per address.
  void onIo(uint32_t) override {
    char room[512];
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    const ssize_t got = recvfrom(socket_.get(), room, sizeof room, 0, reinterpret_cast<sockaddr*>(&from), &length);
    ASSERT_GT(got, 12);
    size_t end = 12;
    while (room[end] != 0) end += static_cast<size_t>(room[end]) + 1;
    const int type = static_cast<uint8_t>(room[end + 1]) << 8 | static_cast<uint8_t>(room[end + 2]);
    asked.push_back(type);
    if (silent) return;
    const std::vector<std::string>& addresses = type == 1 ? v4 : v6;
    std::string out(room, 2);
    put16(out, no_such_name ? 0x8183 : 0x8180);
    put16(out, 1);
    put16(out, static_cast<int>(no_such_name ? 0 : addresses.size()));
    put16(out, 0);
    put16(out, 0);
    out.append(room + 12, end + 5 - 12);
    for (const std::string& text : no_such_name ? std::vector<std::string>{} : addresses) {
      put16(out, 0xc00c);
      put16(out, type);
      put16(out, 1);
      put16(out, 0);
      put16(out, ttl);
      char address[16];
      const int size = type == 1 ? 4 : 16;
      EXPECT_EQ(inet_pton(type == 1 ? AF_INET : AF_INET6, text.c_str(), address), 1);
      put16(out, size);
      out.append(address, static_cast<size_t>(size));
    }
    sendto(socket_.get(), out.data(), out.size(), 0, reinterpret_cast<sockaddr*>(&from), length);
  }
  static int inet_pton(int family, const char* text, char* out) {
    const Address address = Address::parseIp(text, 0).value();
    const auto* from = address.sockaddrPtr();
    if (family == AF_INET) memcpy(out, &reinterpret_cast<const sockaddr_in*>(from)->sin_addr, 4);
    if (family == AF_INET6) memcpy(out, &reinterpret_cast<const sockaddr_in6*>(from)->sin6_addr, 16);
    return address.family() == family;
  }

  event::Loop& loop_;
  Fd socket_;
};

struct DnsTest : ::testing::Test {
  void ask(std::string_view name, LookupFamily family) {
    answer.reset();
    query = resolver->resolve(name, family, [this](base::Result<Resolved> result) {
      EXPECT_FALSE(answer.has_value());
      answer = std::move(result);
    });
  }
  std::vector<std::string> addresses(std::string_view name, LookupFamily family) {
    ask(name, family);
    EXPECT_TRUE(turnUntil(loop, [&] { return answer.has_value(); }));
    std::vector<std::string> found;
    if (!answer || !answer->ok()) return found;
    for (const Resolved::Entry& entry : (*answer)->entries) found.push_back(entry.address.ip());
    return found;
  }
  event::Loop loop{base::systemClock()};
  NameServer server{loop};
  std::unique_ptr<Resolver> resolver = createResolver(loop, server.address(), 2s);
  std::unique_ptr<Resolver::Query> query;
  std::optional<base::Result<Resolved>> answer;
};

TEST_F(DnsTest, ALiteralIsAnsweredWithinTheCallAndAsksNobody) {
  ask("127.0.0.1", LookupFamily::Auto);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(query, nullptr);
  EXPECT_EQ((*answer)->entries[0].address.ip(), "127.0.0.1");
  EXPECT_TRUE(server.asked.empty());
}

TEST_F(DnsTest, TheHostsFileIsHonoured) {
  EXPECT_THAT(addresses("localhost", LookupFamily::V4Only), ElementsAre("127.0.0.1"));
  EXPECT_TRUE(server.asked.empty());
}

TEST_F(DnsTest, GivesAllAddressesWithTheirTimeToLive) {
  server.v4 = {"10.0.0.1", "10.0.0.2"};
  EXPECT_THAT(addresses("a.example.", LookupFamily::V4Only), ElementsAre("10.0.0.1", "10.0.0.2"));
  EXPECT_EQ((*answer)->entries[0].ttl, 30s);
}

TEST_F(DnsTest, AutoAsksForTheOldFamilyOnlyIfTheNewHasNone) {
  server.v4 = {"10.0.0.1"};
  EXPECT_THAT(addresses("a.example.", LookupFamily::Auto), ElementsAre("10.0.0.1"));
  EXPECT_THAT(server.asked, ElementsAre(28, 1));
  server.v6 = {"2001:db8::1"};
  EXPECT_THAT(addresses("b.example.", LookupFamily::Auto), ElementsAre("2001:db8::1"));
  EXPECT_THAT(addresses("c.example.", LookupFamily::V4Preferred), ElementsAre("10.0.0.1"));
  EXPECT_THAT(addresses("d.example.", LookupFamily::V6Only), ElementsAre("2001:db8::1"));
  EXPECT_EQ(addresses("e.example.", LookupFamily::All).size(), 2u);
}

TEST_F(DnsTest, AnAbsentNameIsNotFoundAndASilentServerIsUnavailable) {
  server.no_such_name = true;
  EXPECT_TRUE(addresses("a.example.", LookupFamily::Auto).empty());
  EXPECT_EQ(answer->error().code, base::Code::NotFound);
  server.silent = true;
  resolver = createResolver(loop, server.address(), 20ms);
  EXPECT_TRUE(addresses("b.example.", LookupFamily::V4Only).empty());
  EXPECT_EQ(answer->error().code, base::Code::Unavailable);
}

TEST_F(DnsTest, ADroppedQueryIsNeverAnsweredAndAResolverMayEndWithOne) {
  server.v4 = {"10.0.0.1"};
  ask("a.example.", LookupFamily::V4Only);
  query.reset();
  EXPECT_TRUE(turnUntil(loop, [&] { return !server.asked.empty(); }));
  EXPECT_THAT(addresses("b.example.", LookupFamily::V4Only), ElementsAre("10.0.0.1"));
  server.silent = true;
  ask("c.example.", LookupFamily::V4Only);
  query.reset();
  resolver.reset();
  EXPECT_FALSE(answer.has_value());
}

TEST_F(DnsTest, TheAnswerMayDestroyTheQuery) {
  server.v4 = {"10.0.0.1"};
  bool told = false;
  query = resolver->resolve("a.example.", LookupFamily::V4Only, [&](base::Result<Resolved>) {
    query.reset();
    told = true;
  });
  EXPECT_TRUE(turnUntil(loop, [&] { return told; }));
}

}  // namespace
}  // namespace weir::net
