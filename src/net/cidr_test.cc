#include "net/cidr.h"

#include <gtest/gtest.h>

namespace weir::net {
namespace {

Cidr cidr(const char* ip, uint32_t length) { return Cidr::parse(ip, length).value(); }
Address ip(const char* text) { return Address::parseIp(text, 80).value(); }

TEST(Cidr, HoldsTheAddressesThatShareItsFirstBits) {
  EXPECT_TRUE(cidr("10.0.0.0", 8).contains(ip("10.255.1.2")));
  EXPECT_FALSE(cidr("10.0.0.0", 8).contains(ip("11.0.0.0")));
  EXPECT_TRUE(cidr("192.168.4.0", 22).contains(ip("192.168.7.255")));
  EXPECT_FALSE(cidr("192.168.4.0", 22).contains(ip("192.168.8.0")));
  EXPECT_TRUE(cidr("2001:db8::", 33).contains(ip("2001:db8:7fff::1")));
  EXPECT_FALSE(cidr("2001:db8::", 33).contains(ip("2001:db8:8000::1")));
}

TEST(Cidr, OfLengthZeroHoldsItsWholeFamilyAndNothingElse) {
  EXPECT_TRUE(cidr("1.2.3.4", 0).contains(ip("255.255.255.255")));
  EXPECT_FALSE(cidr("0.0.0.0", 0).contains(ip("::1")));
  EXPECT_FALSE(cidr("::", 0).contains(ip("1.2.3.4")));
  EXPECT_FALSE(cidr("::", 0).contains(Address::unixSocket("@a").value()));
}

TEST(Cidr, ForgetsTheBitsBehindItsLength) {
  EXPECT_EQ(cidr("10.1.2.3", 8), cidr("10.0.0.0", 8));
  EXPECT_EQ(cidr("10.1.2.3", 8).toString(), "10.0.0.0/8");
  EXPECT_EQ(cidr("2001:db8:ffff::", 32).toString(), "2001:db8::/32");
}

TEST(Cidr, IsCutToTheLengthOfItsAddress) { EXPECT_EQ(cidr("10.1.2.3", 40).toString(), "10.1.2.3/32"); }

TEST(Cidr, RefusesWhatIsNoAddress) { EXPECT_FALSE(Cidr::parse("localhost", 8).ok()); }

}  // namespace
}  // namespace weir::net
