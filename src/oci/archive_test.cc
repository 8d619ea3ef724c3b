#include "oci/archive.h"

#include <gtest/gtest.h>

#include "oci/testing.h"

namespace weir::oci {
namespace {

constexpr std::string_view kArchive = "application/vnd.oci.image.layer.v1.tar+gzip";

std::string found(std::string_view archive) {
  const auto file = fileInTar(archive, "plugin.wasm");
  return file.ok() ? std::string(*file) : "error: " + file.error().detail;
}

std::string module(std::string_view type, std::string layer) {
  const auto read = moduleIn(type, std::move(layer));
  return read.ok() ? *read : "error: " + read.error().detail;
}

const std::string kNone = "error: the layer's archive has no plugin.wasm at its root";

TEST(Tar, HasThePluginAtItsRoot) {
  EXPECT_EQ(found(tar("plugin.wasm", "code")), "code");
  EXPECT_EQ(found(tar("./plugin.wasm", "code")), "code");
  EXPECT_EQ(found(tarEntry("README", std::string(600, 'x')) + tar("plugin.wasm", "code")), "code");
  EXPECT_EQ(found(tarEntry("plugin.wasm", "", '5') + tar("plugin.wasm", "code")), "code");
  EXPECT_EQ(found(tarEntry("x", "30 mtime=1350244992.023960108\n", 'x') + tar("plugin.wasm", "code")), "code");
}

TEST(Tar, IsNotSearchedBelowItsRoot) {
  EXPECT_EQ(found(tar("bin/plugin.wasm", "code")), kNone);
  EXPECT_EQ(found(tarEntry("plugin.wasm", "code", '0', "bin")), kNone);
  EXPECT_EQ(found(tarEntry("plugin.wasm", "", '2')), kNone);
  EXPECT_EQ(found(""), kNone);
  EXPECT_EQ(found(std::string(1024, '\0')), kNone);
}

TEST(Tar, IsRefusedWhereItIsDamaged) {
  const std::string whole = tar("plugin.wasm", std::string(600, 'x'));
  EXPECT_EQ(found(whole.substr(0, 512 + 599)), "error: the layer's tar archive is cut short");
  std::string changed = whole;
  changed[0] ^= 1;
  EXPECT_EQ(found(changed), "error: the layer is no tar archive");
  EXPECT_EQ(found(std::string(2048, 'x')), "error: the layer is no tar archive");
}

TEST(Gzip, MayHaveSeveralMembers) { EXPECT_EQ(*gunzip(gzip("ab") + gzip("cd"), 100), "abcd"); }

TEST(Gzip, IsRefusedWhereItIsDamaged) {
  EXPECT_EQ(gunzip(gzip("abcdef").substr(0, 12), 100).error().detail, "the layer's gzip is cut short");
  EXPECT_EQ(gunzip(gzip("abcdef") + "x", 100).error().code, base::Code::Malformed);
  EXPECT_EQ(gunzip("", 100).error().code, base::Code::Malformed);
  EXPECT_EQ(gunzip("plain", 100).error().detail, "the layer is no gzip");
}

TEST(Gzip, IsNotUnpackedBeyondTheLimit) {
  const auto bomb = gunzip(gzip(std::string(5'000'000, '\0')), 4'000'000);
  ASSERT_FALSE(bomb.ok());
  EXPECT_EQ(bomb.error().code, base::Code::TooLarge);
  EXPECT_EQ(bomb.error().detail, "the layer unpacks to more than 4000000 bytes");
  EXPECT_TRUE(gunzip(gzip(std::string(4'000'000, '\0')), 4'000'000).ok());
}

TEST(Module, IsTheLayerOrInIt) {
  const std::string code = std::string("\0asm", 4) + "...";
  EXPECT_EQ(module("application/wasm", "(module)"), "(module)");  // The media type's word.
  EXPECT_EQ(module("application/octet-stream", code), code);
  EXPECT_EQ(module("application/octet-stream", gzip(code)), code);
  EXPECT_EQ(module(kArchive, gzip(tar("plugin.wasm", code))), code);
  EXPECT_EQ(module("application/vnd.oci.image.layer.v1.tar", tar("plugin.wasm", code)), code);
}

TEST(Module, IsRefusedWhereThereIsNone) {
  EXPECT_EQ(module("text/plain", "hello"),
            "error: the layer, of type 'text/plain', is neither a module nor an archive");
  EXPECT_EQ(module(kArchive, gzip(tar("other.wasm", "x"))), kNone);
  EXPECT_EQ(module(kArchive, "\x28\xb5\x2f\xfd..."), "error: the layer is compressed by zstd: push it with gzip");
}

}  // namespace
}  // namespace weir::oci
