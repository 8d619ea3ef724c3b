#include "oci/image_name.h"

#include <gtest/gtest.h>

namespace weir::oci {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

std::string canonical(std::string_view uri) {
  const auto image = parseImageName(uri);
  return image.ok() ? image->text() : "error: " + image.error().detail;
}

TEST(ImageName, HasARegistryARepositoryAndATag) {
  const auto image = parseImageName("oci://registry.example:5000/team/plugin:1.2");
  ASSERT_TRUE(image.ok());
  EXPECT_EQ(image->registry, "registry.example:5000");
  EXPECT_EQ(image->repository, "team/plugin");
  EXPECT_EQ(image->reference(), "1.2");
}

TEST(ImageName, MeansTheLatestTagWhereItHasNone) { EXPECT_EQ(canonical("oci://r/p"), "r/p:latest"); }

TEST(ImageName, GoesByTheDigestWhereThereIsOne) {
  EXPECT_EQ(parseImageName("oci://r/p@" + kDigest)->reference(), kDigest);
  EXPECT_EQ(parseImageName("oci://r/p:1@" + kDigest)->reference(), kDigest);
  EXPECT_EQ(canonical("oci://r/p@" + kDigest), "r/p@" + kDigest);
}

TEST(ImageName, KnowsTheNamesOfDockerHub) {
  EXPECT_EQ(canonical("oci://docker.io/x/y:1"), "registry-1.docker.io/x/y:1");
  EXPECT_EQ(canonical("oci://docker.io/y"), "registry-1.docker.io/library/y:latest");
}

TEST(ImageName, SaysWhatIsWrong) {
  EXPECT_EQ(canonical("oci://registry"), "error: must be oci://registry/repository, with :tag or @sha256:digest");
  EXPECT_EQ(canonical("oci:///p"), "error: '' is no registry: host or host:port");
  EXPECT_EQ(canonical("oci://a b/p"), "error: 'a b' is no registry: host or host:port");
  EXPECT_EQ(canonical("oci://r/"), "error: '' is no repository");
  for (const char* bad : {"../x", "x/../y", "X", "x//y", "x?y", "-x", "x\r\ny"}) {
    EXPECT_EQ(canonical(std::string("oci://r/") + bad), "error: '" + std::string(bad) + "' is no repository") << bad;
  }
  EXPECT_EQ(canonical("oci://r/p:"), "error: '' is no tag");
  EXPECT_EQ(canonical("oci://r/p:a/b"), "error: 'a/b' is no tag");
  EXPECT_EQ(canonical("oci://r/p@sha256:12"), "error: the digest must be sha256: and 64 small hexadecimal digits");
  EXPECT_EQ(canonical("oci://r/p@md5:" + std::string(32, 'a')),
            "error: the digest must be sha256: and 64 small hexadecimal digits");
}

}  // namespace
}  // namespace weir::oci
