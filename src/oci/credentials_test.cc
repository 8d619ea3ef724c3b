#include "oci/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::oci {
namespace {

using ::testing::HasSubstr;

ImageName image(std::string_view uri) { return *parseImageName(uri); }

std::string faultOf(std::string_view json) {
  const auto read = Credentials::parse(json);
  return read.ok() ? "" : read.error().detail;
}

TEST(Credentials, AreFoundByTheRegistrysName) {
  const auto read =
      Credentials::parse(R"({"auths": {"a:5000": {"auth": "dTpw"}, "b": {"username": "u", "password": "q"}}})");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->basicFor(image("oci://a:5000/x:1")), "dTpw");
  EXPECT_EQ(read->basicFor(image("oci://b/x:1")), "dTpx");
  EXPECT_EQ(read->basicFor(image("oci://a/x:1")), "");
  EXPECT_EQ(read->basicFor(image("oci://bb/x:1")), "");
}

TEST(Credentials, OfARepositoryGoBeforeThoseOfItsRegistry) {
  const auto read = Credentials::parse(R"({"auths": {"a": {"auth": "AAAA"}, "a/team": {"auth": "BBBB"}}})");
  EXPECT_EQ(read->basicFor(image("oci://a/team/x")), "BBBB");
  EXPECT_EQ(read->basicFor(image("oci://a/teams/x")), "AAAA");
}

TEST(Credentials, OfDockerHubAreKnownByItsNames) {
  const auto read = Credentials::parse(R"({"auths": {"https://index.docker.io/v1/": {"auth": "AAAA"}}})");
  EXPECT_EQ(read->basicFor(image("oci://docker.io/x/y")), "AAAA");
}

TEST(Credentials, AreRefusedWithTheReason) {
  EXPECT_EQ(faultOf("no"), "not JSON");
  EXPECT_EQ(faultOf("{}"), "has no auths");
  EXPECT_EQ(faultOf(R"({"auths": {"a": {}}})"), "auths.a: has no auth, and no username and password");
  EXPECT_EQ(faultOf(R"({"auths": {"a": {"auth": "x\r\ny: z"}}})"), "auths.a: auth is not base64 of user:password");
  EXPECT_THAT(faultOf(R"({"auths": {}, "credsStore": "desktop"})"), HasSubstr("credsStore: programs"));
  EXPECT_THAT(Credentials::readFile("/nowhere/at/all").error().detail, HasSubstr("No such file"));
}

}  // namespace
}  // namespace weir::oci
