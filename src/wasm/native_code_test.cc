#include "wasm/native_code.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include <filesystem>

#include "wasm/engine.h"

namespace weir::wasm {
namespace {

const std::vector<std::byte> kModule = [] {
  std::vector<std::byte> bytes;
  for (const char each : {'\0', 'a', 's', 'm', '\1', '\0', '\0', '\0'}) bytes.push_back(static_cast<std::byte>(each));
  return bytes;
}();
constexpr std::string_view kText = "machine code";
const auto kCode = std::as_bytes(std::span(kText.data(), kText.size()));

struct NativeCodeTest : ::testing::Test {
  NativeCodeTest() {
    char name[] = "/tmp/weir-keys-XXXXXX";
    folder = mkdtemp(name);
  }
  ~NativeCodeTest() override { std::filesystem::remove_all(folder); }
  struct Keys {
    PrivateKey secret;
    PublicKey open;
  };
  Keys makeKeys(const std::string& name) {
    EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    const std::string secret = folder + "/" + name + ".key";
    const std::string open = folder + "/" + name + ".pub";
    std::FILE* file = std::fopen(secret.c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    file = std::fopen(open.c_str(), "w");
    PEM_write_PUBKEY(file, key);
    std::fclose(file);
    EVP_PKEY_free(key);
    return {*PrivateKey::read(secret), *PublicKey::read(open)};
  }
  std::string folder;
};

TEST_F(NativeCodeTest, IsFoundAsItWasEmbedded) {
  const Keys keys = makeKeys("a");
  const auto bytes = embedNativeCode(kModule, "engine 1", kCode, keys.secret);
  const auto native = findNativeCode(bytes);
  ASSERT_TRUE(native);
  EXPECT_EQ(native->engine, "engine 1");
  EXPECT_TRUE(std::equal(kCode.begin(), kCode.end(), native->code.begin(), native->code.end()));
  EXPECT_TRUE(std::equal(kModule.begin(), kModule.end(), native->module.begin(), native->module.end()));
  EXPECT_TRUE(isSignedBy(*native, keys.open));
}

TEST_F(NativeCodeTest, IsNotBelievedOfAnotherKey) {
  const auto bytes = embedNativeCode(kModule, "engine 1", kCode, makeKeys("a").secret);
  EXPECT_FALSE(isSignedBy(*findNativeCode(bytes), makeKeys("b").open));
}

TEST_F(NativeCodeTest, IsNotBelievedOnceAByteOfAnythingHasChanged) {
  const Keys keys = makeKeys("a");
  const auto good = embedNativeCode(kModule, "engine 1", kCode, keys.secret);
  for (size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] ^= std::byte{1};
    const auto native = findNativeCode(bad);
    EXPECT_FALSE(native && isSignedBy(*native, keys.open)) << "byte " << i;
  }
}

TEST_F(NativeCodeTest, IsNotFoundInAPartOfTheModule) {
  const auto good = embedNativeCode(kModule, "engine 1", kCode, makeKeys("a").secret);
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(findNativeCode(std::span(good).first(size))) << size;
  }
}

TEST_F(NativeCodeTest, IsReplacedWhenEmbeddedAgain) {
  const Keys keys = makeKeys("a");
  const auto once = embedNativeCode(kModule, "engine 1", kCode, keys.secret);
  EXPECT_EQ(embedNativeCode(once, "engine 1", kCode, keys.secret), once);
}

// --- An engine with the public key "a.pub"

struct NativeEngineTest : NativeCodeTest {
  std::unique_ptr<Engine> engine(const std::string& key) {
    EngineSettings settings;
    settings.native_key = key.empty() ? "" : folder + "/" + key;
    return std::move(Engine::create(settings).value());
  }
  // The module with native code of that engine, signed with the secret key.
  static std::vector<std::byte> embedded(Engine& engine, const PrivateKey& key) {
    return embedNativeCode(kModule, engine.nativeName(), *engine.makeNative(kModule), key);
  }
};

TEST_F(NativeEngineTest, UsesWhatIsAllowedAndSigned) {
  const Keys keys = makeKeys("a");
  const auto with_key = engine("a.pub");
  ASSERT_TRUE(with_key->compile(embedded(*with_key, keys.secret), Native::Allowed).ok());
  EXPECT_EQ(with_key->stats().native, 1U);
  EXPECT_EQ(with_key->stats().native_refused, 0U);
}

TEST_F(NativeEngineTest, CompilesWhatIsNotAllowedAsIfItHadNone) {
  const Keys keys = makeKeys("a");
  const auto with_key = engine("a.pub");
  const auto bytes = embedded(*with_key, keys.secret);
  const uint64_t before = with_key->stats().compiled;
  ASSERT_TRUE(with_key->compile(bytes).ok());
  EXPECT_EQ(with_key->stats().native, 0U);
  EXPECT_EQ(with_key->stats().compiled, before + 1);
}

TEST_F(NativeEngineTest, CompilesWhatIsSignedByAnotherKeyOrForAnotherEngineOrWithoutAnyKey) {
  makeKeys("a");
  const Keys other = makeKeys("b");
  const auto with_key = engine("a.pub");
  ASSERT_TRUE(with_key->compile(embedded(*with_key, other.secret), Native::Allowed).ok());
  EXPECT_EQ(with_key->stats().native_refused, 1U);

  const auto with_other = engine("b.pub");
  const auto code = *with_other->makeNative(kModule);
  ASSERT_TRUE(with_other->compile(embedNativeCode(kModule, "engine of old", code, other.secret), Native::Allowed).ok());
  EXPECT_EQ(with_other->stats().native_refused, 1U);

  const auto without = engine("");
  ASSERT_TRUE(without->compile(embedded(*without, other.secret), Native::Allowed).ok());
  EXPECT_EQ(without->stats().native_refused, 1U);
}

TEST_F(NativeEngineTest, CompilesWhatIsSignedAndStillNoCode) {
  const Keys keys = makeKeys("a");
  const auto with_key = engine("a.pub");
  const auto bytes = embedNativeCode(kModule, with_key->nativeName(), kCode, keys.secret);
  ASSERT_TRUE(with_key->compile(bytes, Native::Allowed).ok());
  EXPECT_EQ(with_key->stats().native_refused, 1U);
}

TEST_F(NativeEngineTest, DoesNotStartWithAKeyThatIsNone) {
  EngineSettings settings;
  settings.native_key = folder + "/nowhere";
  EXPECT_FALSE(Engine::create(settings).ok());
}

TEST_F(NativeCodeTest, NeedsKeysOfItsKind) {
  EXPECT_FALSE(PublicKey::read(folder + "/none").ok());
  makeKeys("a");
  const auto wrong = PublicKey::read(folder + "/a.key");
  ASSERT_FALSE(wrong.ok());
  EXPECT_NE(wrong.error().detail.find("holds no public Ed25519 key"), std::string::npos);
}

}  // namespace
}  // namespace weir::wasm
