#include "tls/signature.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>

#include "tls/openssl.h"

namespace weir::tls {
namespace {

using DigestContextPtr = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Free<PKCS8_PRIV_KEY_INFO_free>>;

base::Error refused(std::string detail) {
  ERR_clear_error();
  return {base::Code::InvalidArgument, base::Side::Plugin, base::Retry::No, std::move(detail)};
}

const EVP_MD* digestOf(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  if (lower == "sha1") return EVP_sha1();
  if (lower == "sha224") return EVP_sha224();
  if (lower == "sha256") return EVP_sha256();
  if (lower == "sha384") return EVP_sha384();
  if (lower == "sha512") return EVP_sha512();
  return nullptr;
}

const unsigned char* bytesOf(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// An encrypted key is no key: nobody is there to be asked for its passphrase.
int noPassphrase(char*, int, int, void*) { return 0; }

KeyPtr usable(EVP_PKEY* key) {
  KeyPtr owned(key);
  if (owned != nullptr && EVP_PKEY_get_bits(key) > kMaxKeyBits) owned.reset();
  return owned;
}

KeyPtr publicKey(const KeyText& key) {
  if (key.der.empty()) return usable(PEM_read_bio_PUBKEY(bioOf(key.pem).get(), nullptr, noPassphrase, nullptr));
  const unsigned char* at = bytesOf(key.der);
  return usable(d2i_PUBKEY(nullptr, &at, static_cast<long>(key.der.size())));
}

KeyPtr privateKey(const KeyText& key) {
  if (key.der.empty()) return usable(PEM_read_bio_PrivateKey(bioOf(key.pem).get(), nullptr, noPassphrase, nullptr));
  const unsigned char* at = bytesOf(key.der);
  const Pkcs8Ptr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(key.der.size())));
  return usable(info != nullptr ? EVP_PKCS82PKEY(info.get()) : nullptr);
}

}  // namespace

base::Result<void> verifySignature(std::string_view digest, const KeyText& key, std::string_view signature,
                                   std::string_view text) {
  const EVP_MD* const hash = digestOf(digest);
  if (hash == nullptr) return refused(std::string(digest) + " is not supported.");
  const KeyPtr owned = publicKey(key);
  const DigestContextPtr context(EVP_MD_CTX_new());
  if (owned == nullptr || EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, owned.get()) != 1) {
    return refused("Failed to initialize digest verify.");
  }
  const int verified =
      EVP_DigestVerify(context.get(), bytesOf(signature), signature.size(), bytesOf(text), text.size());
  // As Envoy, whose library knows no other code than zero.
  if (verified != 1) return refused("Failed to verify digest. Error code: 0");
  return base::Ok{};
}

base::Result<std::string> sign(std::string_view digest, const KeyText& key, std::string_view text) {
  const EVP_MD* const hash = digestOf(digest);
  if (hash == nullptr) return refused(std::string(digest) + " is not supported.");
  const KeyPtr owned = privateKey(key);
  if (owned == nullptr) return refused("Invalid key type: private key required for signing operation.");
  const DigestContextPtr context(EVP_MD_CTX_new());
  size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, hash, nullptr, owned.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytesOf(text), text.size()) != 1) {
    return refused("Invalid private key: key data is corrupted or malformed.");
  }
  std::string signature(size, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(signature.data());
  if (EVP_DigestSign(context.get(), out, &size, bytesOf(text), text.size()) != 1) {
    return refused("Failed to create digital signature.");
  }
  signature.resize(size);
  return signature;
}

}  // namespace weir::tls
