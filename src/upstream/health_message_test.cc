#include "upstream/health_message.h"

#include <gtest/gtest.h>

namespace weir::upstream {
namespace {

std::string framed(std::string_view message, char flags = 0) {
  std::string out{flags, 0, 0, static_cast<char>(message.size() >> 8), static_cast<char>(message.size())};
  return out.append(message);
}

bool feed(HealthResponseReader& reader, std::string_view body) {
  base::BufferChain bytes(body);
  return reader.read(bytes);
}

bool serves(std::string_view body) {
  HealthResponseReader reader;
  return feed(reader, body) && reader.serving();
}

bool refused(std::string_view body) {
  HealthResponseReader reader;
  return !feed(reader, body);
}

TEST(HealthRequest, NamesAServiceOrNone) {
  EXPECT_EQ(healthRequest(""), std::string("\0\0\0\0\0", 5));
  EXPECT_EQ(healthRequest("a.B"), std::string("\0\0\0\0\x05\x0a\x03"
                                              "a.B",
                                              10));
  const std::string name(300, 'n');
  EXPECT_EQ(healthRequest(name), std::string("\0\0\0\x01\x2f\x0a\xac\x02", 8) + name);
}

TEST(HealthResponse, OnlyServingServes) {
  EXPECT_TRUE(serves(framed("\x08\x01")));
  EXPECT_FALSE(serves(framed("\x08\x02")));
  EXPECT_FALSE(serves(framed({"\x08\0", 2})));
  EXPECT_FALSE(serves(framed("")));
  EXPECT_FALSE(serves(""));
}

TEST(HealthResponse, TheLastStatusCountsAndUnknownFieldsDoNot) {
  EXPECT_TRUE(serves(framed("\x12\x03xyz\x08\x02\x18\x05\x08\x01")));
  EXPECT_TRUE(
      serves(framed("\x25"
                    "1234\x29"
                    "12345678\x08\x01")));
  EXPECT_FALSE(serves(framed("\x0a\x01\x01")));
}

TEST(HealthResponse, ComesInPieces) {
  const std::string body = framed("") + framed("\x08\x01");
  HealthResponseReader reader;
  for (const char c : body) EXPECT_TRUE(feed(reader, {&c, 1}));
  EXPECT_TRUE(reader.serving());
}

TEST(HealthResponse, IsOneMessageAndNotCompressed) {
  EXPECT_TRUE(refused(framed("\x08\x01") + framed("\x08\x01")));
  EXPECT_TRUE(refused(framed("\x08\x01", 1)));
  EXPECT_TRUE(refused(framed("\x08\x01", 2)));
  EXPECT_FALSE(refused(framed("\x08\x01") + framed("")));
}

TEST(HealthResponse, IsNoLongerThanItsLimit) {
  EXPECT_TRUE(refused(std::string_view("\0\0\x01\0\x01", 5)));
  EXPECT_FALSE(refused(std::string_view("\0\0\x01\0\0", 5)));
}

TEST(HealthResponse, MustBeProtobuf) {
  EXPECT_TRUE(refused(framed("\x08")));
  EXPECT_TRUE(refused(framed("\x12\x05xyz")));
  EXPECT_TRUE(refused(framed({"\0\x01", 2})));
  EXPECT_TRUE(refused(framed("\x0b\x0c")));
  EXPECT_TRUE(refused(framed("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")));
}

}  // namespace
}  // namespace weir::upstream
