#include "oci/manifest.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace weir::oci {
namespace {

constexpr std::string_view kManifestType = "application/vnd.oci.image.manifest.v1+json";
constexpr std::string_view kIndexType = "application/vnd.oci.image.index.v1+json";

std::string part(std::string_view type, char digit, uint64_t size = 10, std::string_view more = "") {
  return fmt::format(R"({{"mediaType":"{}","digest":"sha256:{}","size":{}{}}})", type, std::string(64, digit), size,
                     more);
}

std::string manifestOf(std::string_view layers,
                       std::string_view config_type = "application/vnd.oci.image.config.v1+json") {
  return fmt::format(R"({{"schemaVersion":2,"config":{},"layers":[{}]}})", part(config_type, 'c'), layers);
}

// The first digit of the chosen layer's digest, or the error.
std::string chosen(const std::string& json) {
  const auto manifest = readManifest(json, kManifestType);
  if (!manifest.ok()) return manifest.error().detail;
  const auto layer = chooseLayer(*manifest);
  return layer.ok() ? layer->digest.substr(7, 1) : layer.error().detail;
}

std::string faultOf(std::string_view json, std::string_view type = kManifestType) {
  const auto manifest = readManifest(json, type);
  return manifest.ok() ? "" : manifest.error().detail;
}

TEST(Layer, IsTheLastOneOfAnImage) {
  const std::string gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
  EXPECT_EQ(chosen(manifestOf(part(gzip, '1') + "," + part(gzip, '2'))), "2");
  EXPECT_EQ(chosen(manifestOf(part("application/vnd.docker.image.rootfs.diff.tar.gzip", '1'))), "1");
}

TEST(Layer, IsTheModuleBesideAConfigurationOfItsOwn) {
  const std::string wasm = "application/vnd.module.wasm.content.layer.v1+wasm";
  EXPECT_EQ(chosen(manifestOf(part(wasm, '1'), "application/vnd.module.wasm.config.v1+json")), "1");
  EXPECT_EQ(chosen(manifestOf(part("application/vnd.module.wasm.config.v1+json", '1') + "," + part(wasm, '2'))), "2");
  EXPECT_EQ(chosen(manifestOf(part(wasm, '1') + "," + part("text/markdown", '2'))), "1");
}

TEST(Layer, IsTheOnlyOneWhateverItsType) {
  EXPECT_EQ(chosen(manifestOf(part("application/octet-stream", '1'))), "1");
  EXPECT_EQ(chosen(manifestOf(part("application/wasm", '1'))), "1");
}

TEST(Layer, IsRefusedWhereItCannotBeTold) {
  EXPECT_EQ(chosen(manifestOf(part("a", '1') + "," + part("b", '2'))),
            "none of 2 layers is a module, and the last one no archive but 'b'");
  EXPECT_EQ(chosen(manifestOf(part("application/wasm", '1') + "," + part("application/wasm", '2'))),
            "several layers are modules: which one is meant?");
}

TEST(Layer, HasALimit) {
  const auto manifest = readManifest(manifestOf(part("application/wasm", '1', kMaxLayerBytes + 1)), kManifestType);
  const auto layer = chooseLayer(*manifest);
  ASSERT_FALSE(layer.ok());
  EXPECT_EQ(layer.error().code, base::Code::TooLarge);
  EXPECT_EQ(layer.error().detail, "the layer has 67108865 bytes, over 67108864");
  EXPECT_EQ(chosen(manifestOf(part("application/wasm", '1', kMaxLayerBytes))), "1");
}

TEST(Index, HasAManifestForWebAssemblyOrTheFirstOneIsTaken) {
  const std::string linux_one = part(kManifestType, '1', 5, R"(,"platform":{"os":"linux","architecture":"amd64"})");
  const std::string wasm_one = part(kManifestType, '2', 5, R"(,"platform":{"os":"wasi","architecture":"wasm"})");
  const auto read = [&](const std::string& list) {
    return *readManifest(R"({"schemaVersion":2,"manifests":[)" + list + "]}", kIndexType);
  };
  EXPECT_TRUE(read(linux_one).index);
  EXPECT_EQ(chooseManifest(read(linux_one + "," + wasm_one))->digest.substr(7, 1), "2");
  EXPECT_EQ(chooseManifest(read(linux_one))->digest.substr(7, 1), "1");
}

TEST(Manifest, SaysItselfWhatItIs) {
  const std::string json =
      fmt::format(R"({{"schemaVersion":2,"mediaType":"{}","manifests":[{}]}})", kIndexType, part("x", '1'));
  EXPECT_TRUE(readManifest(json, "application/json")->index);
}

TEST(Manifest, IsRefusedWithTheReason) {
  EXPECT_EQ(faultOf("<html>"), "the manifest is not JSON");
  EXPECT_EQ(faultOf(R"({"schemaVersion":1})"), "the manifest is not of schema version 2");
  EXPECT_EQ(faultOf(R"({"schemaVersion":2})"), "the manifest lists no layers");
  EXPECT_EQ(faultOf(R"({"schemaVersion":2})", kIndexType), "the index lists no manifests");
  EXPECT_EQ(faultOf(manifestOf(R"({"digest":"sha256:x","size":1})")), "a layer in the manifest has no sha256 digest");
  EXPECT_EQ(faultOf(manifestOf(fmt::format(R"({{"digest":"sha256:{}","size":-1}})", std::string(64, 'a')))),
            "a layer in the manifest has no size");
}

TEST(Manifest, HasALimit) {
  const auto read = readManifest(std::string(kMaxManifestBytes + 1, ' '), kManifestType);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, base::Code::TooLarge);
}

}  // namespace
}  // namespace weir::oci
