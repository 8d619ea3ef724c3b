#include "http/path.h"

#include <gtest/gtest.h>

namespace weir::http {
namespace {

TEST(SplitPath, CutsAtTheFirstQuestionMark) {
  EXPECT_EQ(splitPath("/a?b?c").path, "/a");
  EXPECT_EQ(splitPath("/a?b?c").query, "b?c");
  EXPECT_TRUE(splitPath("/a?").has_query);
  EXPECT_FALSE(splitPath("/a").has_query);
}

// The right-hand side is what Envoy 1.40 made of it.
TEST(NormalizePath, IsEnvoys) {
  const struct {
    const char* from;
    const char* to;
  } rows[] = {
      {"/", "/"},
      {"/a/./b", "/a/b"},
      {"/a/../b", "/b"},
      {"/../../x", "/x"},
      {"/a/%2e%2e/b", "/b"},
      {"/a/%2E", "/a/"},
      {"/a/..", "/"},
      {"/a/.", "/a/"},
      {"/..", "/"},
      {"/.", "/"},
      {"/%41%7e%2d", "/A~-"},
      {"/a%2fb", "/a%2fb"},
      {"/a%5cb", "/a%5cb"},
      {"/a\\b", "/a/b"},
      {"/a//b", "/a//b"},
      {"/a%zz", "/a%zz"},
      {"/a%2", "/a%2"},
      {"/a%", "/a%"},
      {"/a\"<>`{}|^[]", "/a%22%3C%3E%60%7B%7D%7C%5E[]"},
      {"/x%c3%a9", "/x%c3%a9"},
      {"/a?x//%2e/../%41", "/a?x//%2e/../%41"},
      {"/a/..?q", "/?q"},
      {"/a;p=1", "/a;p=1"},
      {"/a/.hidden", "/a/.hidden"},
      {"/...", "/..."},
      {"/a/b/../", "/a/"},
      {"/a%20b%3f", "/a%20b%3f"},
      {"/!$&'()*+,=:@", "/!$&'()*+,=:@"},
      {"/%7f%80", "/%7f%80"},
      {"/a/.%2e/b", "/b"},
      {"/%25%32", "/%252"},
      {"/a/b/c/../../d", "/a/d"},
      {"/a//../b", "/a/b"},
  };
  for (const auto& row : rows) EXPECT_EQ(normalizePath(row.from), row.to) << row.from;
}

TEST(NormalizePath, NeverMakesAnEscapeOfWhatWasNone) {
  EXPECT_EQ(normalizePath("/%2%65%2%65/x"), "/%2%65%2%65/x");
  EXPECT_EQ(normalizePath("/%%32%65"), "/%%32e");
  EXPECT_EQ(normalizePath("/%252e"), "/%252e");
}

TEST(NormalizePath, RefusesWhatItCannotNormalise) {
  EXPECT_EQ(normalizePath("/a%00b"), std::nullopt);
  EXPECT_EQ(normalizePath(std::string_view("/a\0b", 4)), std::nullopt);
  EXPECT_EQ(normalizePath(""), std::nullopt);
  EXPECT_EQ(normalizePath("a"), std::nullopt);
  EXPECT_EQ(normalizePath("*"), std::nullopt);
  EXPECT_EQ(normalizePath("?a"), std::nullopt);
}

TEST(MergeSlashes, LeavesTheQueryAlone) {
  EXPECT_EQ(mergeSlashes("/a//b///c/"), "/a/b/c/");
  EXPECT_EQ(mergeSlashes("//a?b//c"), "/a?b//c");
  EXPECT_EQ(mergeSlashes("//"), "/");
  EXPECT_EQ(mergeSlashes("*"), "*");
}

TEST(EscapedSlashes, AreSeenInThePathOnly) {
  EXPECT_TRUE(hasEscapedSlashes("/a%2Fb"));
  EXPECT_TRUE(hasEscapedSlashes("/a%5cb"));
  EXPECT_FALSE(hasEscapedSlashes("/a?%2f"));
  EXPECT_FALSE(hasEscapedSlashes("/a%2"));
  EXPECT_FALSE(hasEscapedSlashes("/a%252f"));
  EXPECT_EQ(unescapeSlashes("/a%2fb%5Cc%20?%2f"), "/a/b\\c%20?%2f");
  EXPECT_EQ(unescapeSlashes("/a%"), "/a%");
}

TEST(ParseAuthority, TakesHostsWithAndWithoutPorts) {
  const struct {
    const char* text;
    const char* host;
    std::optional<uint16_t> port;
  } rows[] = {
      {"h", "h", std::nullopt},
      {"h:80", "h", 80},
      {"1.2.3.4:65535", "1.2.3.4", 65535},
      {"[::1]", "[::1]", std::nullopt},
      {"[::1]:8080", "[::1]", 8080},
      {"a_b.c-d", "a_b.c-d", std::nullopt},
      {"a%20b", "a%20b", std::nullopt},
      {"h:", "h", std::nullopt},
  };
  for (const auto& row : rows) {
    const auto authority = parseAuthority(row.text);
    ASSERT_TRUE(authority) << row.text;
    EXPECT_EQ(authority->host, row.host);
    EXPECT_EQ(authority->port, row.port);
  }
}

TEST(ParseAuthority, RefusesWhatIsNone) {
  for (const char* bad : {"",        ":80", "h:x",  "h:80x",       "h:65536", "h:-1", "h:000080", "u@h",     "a,b",
                          "a b",     "a/b", "a?b",  "a#b",         "[::1",    "[]",   "[::1]x",   "[::1]:x", "[gg]",
                          "h:80:80", "::1", "a\\b", "caf\xc3\xa9", "a\x01",   "<h>",  "h\t"}) {
    EXPECT_FALSE(parseAuthority(bad)) << bad;
  }
}

TEST(StripPort, TakesOffTheRightOne) {
  EXPECT_EQ(stripPort("h:80"), "h");
  EXPECT_EQ(stripPort("[::1]:80"), "[::1]");
  EXPECT_EQ(stripPort("h"), "h");
  EXPECT_EQ(stripPort("h:x"), "h:x");
  EXPECT_EQ(stripMatchingPort("h:80", 80), "h");
  EXPECT_EQ(stripMatchingPort("h:80", 81), "h:80");
}

}  // namespace
}  // namespace weir::http
