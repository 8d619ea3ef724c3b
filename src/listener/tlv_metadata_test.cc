#include "listener/tlv_metadata.h"

#include <gmock/gmock.h>

#include "base/wire.h"

namespace weir::listener {
namespace {

using Rule = ProxyProtocolSpec::Rule;
using base::WireField;

struct TlvMetadata : testing::Test {
  // "none" where there is nothing.
  std::string noted(const std::string& name_space, const std::string& key) {
    const auto value = base::mapEntry(findings.metadata[name_space], 1, key);
    return value ? std::string(base::chosenValue(*value)->bytes) : "none";
  }
  std::string typed(const std::string& name_space, const std::string& key) {
    const auto message = base::lastField(findings.typed_metadata[name_space], 2, WireField::Kind::Bytes);
    const auto value = message ? base::mapEntry(message->bytes, 1, key) : std::nullopt;
    return value ? std::string(*value) : "none";
  }
  Findings findings;
};

TEST_F(TlvMetadata, NotesThoseThatThereIsARuleFor) {
  noteTlvs({Rule{2, "n", "authority"}, Rule{3, "m", "other"}, Rule{4, "m", "absent"}}, {{2, "a.b"}, {3, ""}, {9, "x"}},
           findings);
  EXPECT_EQ(noted("n", "authority"), "a.b");
  EXPECT_EQ(noted("m", "other"), "");
  EXPECT_EQ(noted("m", "absent"), "none");
  EXPECT_EQ(findings.metadata.size(), 2u);
}

TEST_F(TlvMetadata, OfTwoRulesTheLaterOneCountsAndOfTwoValuesTheFirst) {
  noteTlvs({Rule{2, "n", "one"}, Rule{2, "n", "two"}, Rule{3, "n", "two"}}, {{2, "a"}, {2, "b"}, {3, "c"}}, findings);
  EXPECT_EQ(noted("n", "one"), "none");
  EXPECT_EQ(noted("n", "two"), "a");
  EXPECT_EQ(typed("n", "two"), "c");
}

TEST_F(TlvMetadata, IsTextOrBase64) {
  const std::string bytes("\xff\0a\xc3\xa9\xe2\x82", 7);
  noteTlvs({Rule{2, "n", "text"}, Rule{3, "n", "base64", true}}, {{2, bytes}, {3, bytes}}, findings);
  EXPECT_EQ(noted("n", "text"), std::string("!\0a\xc3\xa9!!", 7));
  EXPECT_EQ(noted("n", "base64"), "/wBhw6nigg==");
  EXPECT_EQ(typed("n", "text"), bytes);
}

}  // namespace
}  // namespace weir::listener
