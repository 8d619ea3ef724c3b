#include "filter/dynamic_metadata.h"

#include <gtest/gtest.h>

#include "base/wire.h"

namespace weir::filter {
namespace {

TEST(SerializeMetadata, IsCoreMetadata) {
  const std::string all = serializeMetadata({{"ns", "fields"}}, {{"t", "any"}});
  EXPECT_EQ(base::mapEntry(all, 1, "ns"), "fields");
  EXPECT_EQ(base::mapEntry(all, 2, "t"), "any");
  EXPECT_EQ(serializeMetadata({}, {}), "");
}

}  // namespace
}  // namespace weir::filter
