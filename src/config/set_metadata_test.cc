// The filter set_metadata: what is read of it, and where it is refused.
#include <gmock/gmock.h>

#include "config/testing.h"

namespace weir::config {
namespace {

using ::testing::Contains;
using testing::faults;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::loadParts;
using testing::Parts;

std::string setMetadata(const std::string& config) {
  return "{name: meta, typed_config: {'@type': "
         "type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config, " +
         config + "}},";
}

TEST(SetMetadataConfig, HasTheOldFormFirstWhichMayOverwrite) {
  Parts parts;
  parts.filters = setMetadata(
      "metadata_namespace: old, value: {a: b}, "
      "metadata: [{metadata_namespace: one, value: {}}, {metadata_namespace: nothing}, "
      "{metadata_namespace: two, value: {c: 1}, allow_overwrite: true}]");
  const LoadOutcome outcome = loadParts(parts);
  ASSERT_THAT(faults(outcome), IsEmpty());
  const auto& chain = outcome.bootstrap->listeners.at(0).filter_chains.at(0).http->filters;
  const auto& entries = std::get<filter::SetMetadataSpec>(chain.at(0).filter).entries;
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].name_space, "old");
  EXPECT_TRUE(entries[0].allow_overwrite);
  EXPECT_THAT(entries[0].fields, HasSubstr("b"));
  EXPECT_EQ(entries[1].name_space, "one");
  EXPECT_FALSE(entries[1].allow_overwrite);
  EXPECT_EQ(entries[1].fields, "");
  EXPECT_TRUE(entries[2].allow_overwrite);
}

TEST(SetMetadataConfig, RefusesMessages) {
  Parts parts;
  parts.filters = setMetadata(
      "metadata: [{metadata_namespace: one, typed_value: {'@type': type.googleapis.com/google.protobuf.Empty}}]");
  EXPECT_THAT(faults(loadParts(parts)), Contains(HasSubstr("typed_value")));
}

}  // namespace
}  // namespace weir::config
