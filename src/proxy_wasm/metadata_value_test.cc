#include "proxy_wasm/metadata_value.h"

#include <gtest/gtest.h>

#include <bit>
#include <vector>

#include "base/wire.h"
#include "proxy_wasm/little_endian.h"
#include "proxy_wasm/pairs.h"

namespace weir::proxy_wasm {
namespace {

using base::lastField;
using base::WireField;
using base::WireReader;

// A serialized length-delimited field; all sizes here are below 128.
std::string bytes(int number, std::string_view content) {
  return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(content.size()) + std::string(content);
}
std::string entry(std::string_view key, std::string_view value) { return bytes(1, bytes(1, key) + bytes(2, value)); }
std::string text(std::string_view value) { return bytes(3, value); }
std::string number(double value) {
  std::string out(9, '\x11');
  storeU64(out.data() + 1, std::bit_cast<uint64_t>(value));
  return out;
}
const std::string kTrue("\x20\x01", 2);
const std::string kNull("\x08\x00", 2);

const std::string kList = bytes(6, bytes(1, text("a")) + bytes(1, text("b")));
const std::string kScope = entry("auth", text("none")) + entry("n", number(1.5)) + entry("on", kTrue) +
                           entry("in", bytes(5, entry("deep", text("x")))) + entry("l", kList);
const std::string kMetadata = entry("ns", kScope);

std::string read(std::vector<std::string_view> path) {
  EncodedProperty out;
  const AbiStatus status = readMetadata(kMetadata, path, out);
  return status == AbiStatus::Ok ? out.bytes : "status " + std::to_string(static_cast<int>(status));
}

TEST(Metadata, IsItselfWithoutAPath) { EXPECT_EQ(read({}), kMetadata); }
TEST(Metadata, GivesAStringRaw) { EXPECT_EQ(read({"filter_metadata", "ns", "auth"}), "none"); }
TEST(Metadata, GivesABooleanAsOneByte) { EXPECT_EQ(read({"filter_metadata", "ns", "on"}), std::string(1, '\1')); }
TEST(Metadata, GivesANumberAsADouble) {
  const std::string out = read({"filter_metadata", "ns", "n"});
  ASSERT_EQ(out.size(), 8u);
  EXPECT_EQ(std::bit_cast<double>(loadU64(out.data())), 1.5);
}
TEST(Metadata, GivesAStructAsPairs) {
  EXPECT_EQ(read({"filter_metadata", "ns", "in"}), toPairs({{"deep", "x"}}));
  EXPECT_EQ(read({"filter_metadata", "ns", "in", "deep"}), "x");
}
TEST(Metadata, GivesAListAsPairsWithEmptyValuesAndItsElementsByIndex) {
  EXPECT_EQ(read({"filter_metadata", "ns", "l"}), toPairs({{"a", ""}, {"b", ""}}));
  EXPECT_EQ(read({"filter_metadata", "ns", "l", "1"}), "b");
  EXPECT_EQ(read({"filter_metadata", "ns", "l", "2"}), "status 1");
  EXPECT_EQ(read({"filter_metadata", "ns", "l", "x"}), "status 1");
}
TEST(Metadata, HasNothingUnderAnUnknownNameOrBeyondALeaf) {
  EXPECT_EQ(read({"other"}), "status 1");
  EXPECT_EQ(read({"filter_metadata", "other"}), "status 1");
  EXPECT_EQ(read({"filter_metadata", "ns", "other"}), "status 1");
  EXPECT_EQ(read({"filter_metadata", "ns", "auth", "more"}), "status 1");
}
TEST(Metadata, CannotSerializeNull) {
  EncodedProperty out;
  EXPECT_EQ(
      readMetadata(entry("ns", entry("k", kNull)), std::vector<std::string_view>{"filter_metadata", "ns", "k"}, out),
      AbiStatus::SerializationFailure);
}
TEST(Metadata, NestedWithoutEndIsRefused) {
  // Empty structs within structs; sizes grow past 127, so that lengths need two bytes.
  std::string value = text("x");
  for (int i = 0; i < 40; ++i) {
    const auto field = [](int number, const std::string& content) {
      std::string out(1, static_cast<char>(number << 3 | 2));
      out += static_cast<char>((content.size() & 0x7f) | 0x80);
      out += static_cast<char>(content.size() >> 7);
      return out + content;
    };
    value = field(5, field(1, bytes(1, "k") + field(2, value)));
  }
  EncodedProperty out;
  EXPECT_EQ(readStruct(bytes(1, ""), {}, out), AbiStatus::SerializationFailure);
  const WireReader reader(value);
  const auto inner = lastField(value, 5, WireField::Kind::Bytes);
  ASSERT_TRUE(inner);
  EXPECT_EQ(readStruct(inner->bytes, {}, out), AbiStatus::SerializationFailure);
}

TEST(Node, HasItsFieldsByNameAndEmptyOnesAreEmpty) {
  const std::string node =
      bytes(1, "id-1") + bytes(2, "edge") + bytes(3, entry("k", text("v"))) + bytes(4, bytes(2, "z"));
  const auto get = [&](std::vector<std::string_view> path) {
    EncodedProperty out;
    return readNode(node, path, out) == AbiStatus::Ok ? out.bytes : "none";
  };
  EXPECT_EQ(get({}), node);
  EXPECT_EQ(get({"id"}), "id-1");
  EXPECT_EQ(get({"cluster"}), "edge");
  EXPECT_EQ(get({"metadata", "k"}), "v");
  EXPECT_EQ(get({"locality", "zone"}), "z");
  EXPECT_EQ(get({"locality", "region"}), "");
  EXPECT_EQ(get({"user_agent_name"}), "");
  EXPECT_EQ(get({"nonsense"}), "none");
}

TEST(WireReader, StopsAtBadBytes) {
  for (const std::string_view bad :
       {std::string_view("\x0a\x05"
                         "abc"),
        std::string_view("\x09\1\2"), std::string_view("\x0b"),
        std::string_view("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), std::string_view("\x00x", 2)}) {
    WireReader reader(bad);
    EXPECT_FALSE(reader.next());
    EXPECT_TRUE(reader.malformed());
  }
}

}  // namespace
}  // namespace weir::proxy_wasm
