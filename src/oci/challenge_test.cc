#include "oci/challenge.h"

#include <gtest/gtest.h>

namespace weir::oci {
namespace {

TEST(Challenge, OfATokenService) {
  const Challenge challenge = readChallenge(
      R"(Bearer realm="https://auth.example/token",service="registry.example", scope="repository:a/b:pull")");
  EXPECT_EQ(challenge.scheme, Challenge::Scheme::Bearer);
  EXPECT_EQ(challenge.realm, "https://auth.example/token");
  EXPECT_EQ(challenge.service, "registry.example");
  EXPECT_EQ(challenge.scope, "repository:a/b:pull");
}

TEST(Challenge, OfAPassword) {
  EXPECT_EQ(readChallenge("basic realm=\"x\"").scheme, Challenge::Scheme::Basic);
  EXPECT_EQ(readChallenge("Basic").scheme, Challenge::Scheme::Basic);
}

TEST(Challenge, TakesATokenBeforeAPassword) {
  const Challenge challenge = readChallenge(R"(Basic realm="b", Bearer realm="t", Negotiate)");
  EXPECT_EQ(challenge.scheme, Challenge::Scheme::Bearer);
  EXPECT_EQ(challenge.realm, "t");
}

TEST(Challenge, IsNothingWhereItIsMalformed) {
  for (const char* text : {"", "Digest x=y", "=", ",,,", "\"", "Negotiate \x01"}) {
    EXPECT_EQ(readChallenge(text).scheme, Challenge::Scheme::Unknown) << text;
  }
  EXPECT_EQ(readChallenge("Bearer realm=\"open").realm, "");
  EXPECT_EQ(readChallenge(R"(Bearer realm="a\"b")").realm, "a\"b");
}

TEST(TokenUri, AsksForTheRepositoryWhereNoScopeIsGiven) {
  const ImageName image = *parseImageName("oci://r/a/b:1");
  EXPECT_EQ(tokenUri(readChallenge(R"(Bearer realm="https://h/t",service="s p")"), image),
            "https://h/t?service=s%20p&scope=repository:a/b:pull");
  EXPECT_EQ(tokenUri(readChallenge(R"(Bearer realm="https://h/t?x=1",service="s",scope="y")"), image),
            "https://h/t?x=1&service=s&scope=y");
}

TEST(Token, StandsInTheAnswerByEitherName) {
  EXPECT_EQ(*readToken(R"({"token": "abc"})"), "abc");
  EXPECT_EQ(*readToken(R"({"access_token": "abc"})"), "abc");
}

TEST(Token, CannotBreakOutOfItsHeader) {
  for (const char* text : {"", "{}", "[]", R"({"token": ""})", R"({"token": "a\r\nx: y"})", R"({"token": 1})"}) {
    EXPECT_FALSE(readToken(text).ok()) << text;
  }
}

TEST(ErrorWords, HaveTheRegistrysCodeAndMessage) {
  EXPECT_EQ(errorWords(404, R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{}}]})"),
            "status 404 (MANIFEST_UNKNOWN: manifest unknown)");
  EXPECT_EQ(errorWords(503, "no healthy upstream"), "status 503 (no healthy upstream)");
  EXPECT_EQ(errorWords(500, ""), "status 500");
  EXPECT_EQ(errorWords(500, "{}"), "status 500");
}

TEST(ErrorWords, AreOneLineOfBoundedLength) {
  EXPECT_EQ(errorWords(500, "a\x1b[2J\nb"), "status 500 (a [2J)");
  EXPECT_LT(errorWords(500, std::string(10'000, 'x')).size(), 250U);
}

}  // namespace
}  // namespace weir::oci
