#include "net/address.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

namespace weir::net {
namespace {

TEST(AddressTest, ReadsAndWritesBothFamilies) {
  EXPECT_EQ(Address::parseIp("127.0.0.1", 80)->toString(), "127.0.0.1:80");
  EXPECT_EQ(Address::parseIp("::1", 443)->toString(), "[::1]:443");
  EXPECT_EQ(Address::parseIp("2001:DB8:0::1", 1)->ip(), "2001:db8::1");
}

TEST(AddressTest, RefusesNamesAndOtherText) {
  for (const char* text : {"localhost", "", "1.2.3", "1.2.3.4.5", "1.2.3.4:80", "[::1]", "::1%lo", "01.2.3.4"}) {
    EXPECT_FALSE(Address::parseIp(text, 0).ok()) << text;
  }
}

TEST(AddressTest, UnixPathsMayBeFilesOrAbstractNamesOfAtMost107Bytes) {
  EXPECT_EQ(Address::unixSocket("/run/x.sock")->toString(), "/run/x.sock");
  EXPECT_EQ(Address::unixSocket("@name")->toString(), "@name");
  EXPECT_TRUE(Address::unixSocket(std::string(107, 'x')).ok());
  EXPECT_FALSE(Address::unixSocket(std::string(108, 'x')).ok());
  EXPECT_FALSE(Address::unixSocket("").ok());
  EXPECT_FALSE(Address::unixSocket(std::string_view("/a\0b", 4)).ok());
}

TEST(AddressTest, PrivateAndLoopbackRangesEndWhereTheRfcsSay) {
  for (const char* ip : {"10.0.0.0", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.3.4", "169.254.1.1",
                         "127.9.9.9", "::1", "fc00::1", "fdff::1", "fe80::1"}) {
    EXPECT_TRUE(Address::parseIp(ip, 0)->isPrivate()) << ip;
  }
  for (const char* ip : {"9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.169.0.0", "8.8.8.8",
                         "2001:db8::1", "fe00::1"}) {
    EXPECT_FALSE(Address::parseIp(ip, 0)->isPrivate()) << ip;
  }
  EXPECT_TRUE(Address::parseIp("127.1.2.3", 0)->isLoopback());
  EXPECT_FALSE(Address::parseIp("10.0.0.1", 0)->isLoopback());
  EXPECT_FALSE(Address::unixSocket("@x")->isPrivate());
}

TEST(AddressTest, AnIpv4PeerOfAnIpv6SocketIsAnIpv4Address) {
  const Address mapped = Address::parseIp("::ffff:10.1.2.3", 99).value();
  EXPECT_EQ(Address::fromSockaddr(mapped.sockaddrPtr(), mapped.length()).toString(), "10.1.2.3:99");
}

TEST(AddressTest, EqualityIsByMeaning) {
  const Address address = Address::parseIp("127.0.0.1", 80).value();
  EXPECT_EQ(address, Address::fromSockaddr(address.sockaddrPtr(), address.length()));
  EXPECT_FALSE(address == address.withPort(81));
  EXPECT_FALSE(address == Address::parseIp("127.0.0.2", 80).value());
  EXPECT_EQ(Address(), Address());
  EXPECT_EQ(Address().toString(), "");
}

}  // namespace
}  // namespace weir::net
