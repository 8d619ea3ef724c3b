#include "wasm/fault_place.h"

#include <gmock/gmock.h>

#include "wasm/wasm_fixture.h"

namespace weir::wasm {
namespace {

using namespace std::string_literals;  // NOLINT: for the zeros.

// Type: one of no value. Function: one of that type. Code: from 18 on.
const std::string kModule = "\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\x0a\4\1\2\0\x0b"s;

std::string placeOf(std::string_view complaint, const std::string& module = kModule) {
  return placeOfFault(complaint, std::as_bytes(std::span(module))).value_or("nowhere");
}

TEST(PlaceOfFault, IsTheSectionAtTheOffset) {
  EXPECT_EQ(placeOf("invalid value type (at offset 0x8)"), "in its type section");
  EXPECT_EQ(placeOf("invalid value type (at offset 0xd)"), "in its type section");
  EXPECT_EQ(placeOf("unknown type 125 (at offset 0xe)"), "in its function section");
  EXPECT_EQ(placeOf("Invalid input WebAssembly code at offset 21: unknown function"), "in its code section");
}

TEST(PlaceOfFault, IsTheSectionThatDoesNotEnd) {
  EXPECT_EQ(placeOf("unexpected end (at offset 0x14)", kModule.substr(0, 20)), "in its code section");
  EXPECT_EQ(placeOf("unexpected end-of-file (at offset 0x18)"), "in its code section");
  EXPECT_EQ(placeOf("malformed section id: 77 (at offset 0x18)", kModule + "\x4d\1\1"s),
            "in its section 77, which is of no known kind");
}

TEST(PlaceOfFault, IsNowhereWhereNoneIsTold) {
  for (const char* complaint : {"", "out of luck", "at offset ", "at offset x", "at offset 3", "at offset 99999",
                                "at offset 99999999999999999999999"}) {
    EXPECT_EQ(placeOf(complaint), "nowhere") << complaint;
  }
}

class RefusalTest : public WasmFixture {};

TEST_F(RefusalTest, OfABrokenModuleNamesItsSection) {
  std::string bad = kModule;
  bad[12] = 3;  // Parameters that are not there.
  const auto module = engine().compile(std::as_bytes(std::span(bad)));
  ASSERT_FALSE(module.ok());
  EXPECT_THAT(module.error().detail, testing::EndsWith(", in its type section"));
  bad = kModule;
  bad[22] = 0x20;  // No instruction's end.
  EXPECT_THAT(engine().compile(std::as_bytes(std::span(bad))).error().detail,
              testing::EndsWith(", in its code section"));
}

}  // namespace
}  // namespace weir::wasm
