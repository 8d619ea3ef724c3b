#include "format/json_read.h"

#include <gtest/gtest.h>

namespace weir::format {
namespace {

std::string text(std::string_view json) {
  const auto read = readJson(json);
  const auto* found = read ? std::get_if<std::string>(&read->value) : nullptr;
  return found == nullptr ? "nothing" : *found;
}

TEST(JsonText, HasEscapesOfCharacters) {
  EXPECT_EQ(text(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(text(R"("\u0041\u00e9\u20AC")"), "A\xc3\xa9\xe2\x82\xac");
  EXPECT_EQ(text(R"("\ud83d\ude00!")"), "\xf0\x9f\x98\x80!");  // RFC 8259 7: in two halves.
}

TEST(JsonText, HasNoHalvesByThemselves) {
  for (const char* json : {R"("\ud83d")", R"("\ude00")", R"("\ud83dx")", R"("\ud83d\n")", R"("\ud83d\ud83d")",
                           R"("\ud83d\u00")", R"("\u12")", R"("\x41")"}) {
    EXPECT_EQ(text(json), "nothing") << json;
  }
}

}  // namespace
}  // namespace weir::format
