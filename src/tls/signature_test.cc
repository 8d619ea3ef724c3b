#include "tls/signature.h"

#include <gtest/gtest.h>

#include "tls/test_certificates.h"

namespace weir::tls {
namespace {

struct Key {
  std::string der, pem, public_der, public_pem;
};

std::string pem(EVP_PKEY* key, bool with_secret) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  with_secret ? PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr)
              : PEM_write_bio_PUBKEY(bio.get(), key);
  return pemOf(bio.get());
}

Key keyOf(EVP_PKEY* key) {
  const BioPtr secret(BIO_new(BIO_s_mem())), open(BIO_new(BIO_s_mem()));
  i2d_PKCS8PrivateKey_bio(secret.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  i2d_PUBKEY_bio(open.get(), key);
  return {pemOf(secret.get()), pem(key, true), pemOf(open.get()), pem(key, false)};
}

const Key& rsa() {
  static const Key kKey = keyOf(makeCertificate({.rsa = true}).key.get());
  return kKey;
}
const Key& ec() {
  static const Key kKey = keyOf(makeCertificate({}).key.get());
  return kKey;
}

std::string verified(std::string_view digest, const KeyText& key, std::string_view signature, std::string_view text) {
  const auto result = verifySignature(digest, key, signature, text);
  return result.ok() ? "yes" : result.error().detail;
}

TEST(Signature, OfEitherKindAndFormIsVerified) {
  for (const Key* key : {&rsa(), &ec()}) {
    for (const std::string_view digest : {"sha1", "sha224", "SHA256", "sha384", "sha512"}) {
      const auto signature = sign(digest, {key->der, ""}, "text");
      ASSERT_TRUE(signature.ok()) << signature.error().detail;
      EXPECT_EQ(verified(digest, {key->public_der, ""}, *signature, "text"), "yes");
      EXPECT_EQ(verified(digest, {"", key->public_pem}, *signature, "text"), "yes");
      EXPECT_EQ(verified(digest, {key->public_der + "more", ""}, *signature, "text"), "yes");
      EXPECT_EQ(verified(digest, {key->public_der, ""}, *signature, "other"), "Failed to verify digest. Error code: 0");
    }
    const auto by_pem = sign("sha256", {"", key->pem}, "");
    ASSERT_TRUE(by_pem.ok());
    EXPECT_EQ(verified("sha256", {key->public_der, ""}, *by_pem, ""), "yes");
  }
}

TEST(Signature, WhatIsNoKeyIsRefused) {
  EXPECT_EQ(verified("sha256", {"x", ""}, "s", "t"), "Failed to initialize digest verify.");
  EXPECT_EQ(verified("sha256", {"", rsa().pem}, "s", "t"), "Failed to initialize digest verify.");
  EXPECT_EQ(verified("md5", {rsa().public_der, ""}, "s", "t"), "md5 is not supported.");
  EXPECT_EQ(sign("sha256", {rsa().public_der, ""}, "t").error().detail,
            "Invalid key type: private key required for signing operation.");
  EXPECT_EQ(sign("sha256", {"", rsa().public_pem}, "t").error().detail,
            "Invalid key type: private key required for signing operation.");
}

TEST(Signature, AnEncryptedKeyAsksNobody) {
  const TestCertificate made = makeCertificate({});
  const BioPtr bio(BIO_new(BIO_s_mem()));
  char secret[] = "secret";
  PEM_write_bio_PKCS8PrivateKey(bio.get(), made.key.get(), EVP_aes_128_cbc(), secret, 6, nullptr, nullptr);
  EXPECT_FALSE(sign("sha256", {"", pemOf(bio.get())}, "t").ok());
}

}  // namespace
}  // namespace weir::tls
