#include "wasm/signing.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "base/check.h"

namespace weir::wasm {
namespace {

using Digest = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
using ReadKey = EVP_PKEY* (*)(std::FILE*, EVP_PKEY**, pem_password_cb*, void*);

base::Error unusable(const std::string& path, const std::string& why) {
  return {base::Code::InvalidArgument, base::Side::Operator, base::Retry::No, path + ": " + why};
}

// Asks nobody for a pass phrase.
int noPassPhrase(char*, int, int, void*) { return 0; }

base::Result<std::shared_ptr<evp_pkey_st>> readKey(const std::string& path, ReadKey read, const char* what) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (file == nullptr) return unusable(path, std::system_category().message(errno));
  std::shared_ptr<evp_pkey_st> key(read(file.get(), nullptr, &noPassPhrase, nullptr), &EVP_PKEY_free);
  if (key == nullptr || EVP_PKEY_id(key.get()) != EVP_PKEY_ED25519) {
    return unusable(path, std::string("holds no ") + what + " Ed25519 key in PEM form");
  }
  return key;
}

const unsigned char* raw(const std::byte* bytes) { return reinterpret_cast<const unsigned char*>(bytes); }

}  // namespace

base::Result<PublicKey> PublicKey::read(const std::string& path) {
  auto key = readKey(path, &PEM_read_PUBKEY, "public");
  if (!key.ok()) return std::move(key).error();
  return PublicKey(*std::move(key));
}

bool PublicKey::verifies(std::span<const std::byte> message, const Signature& signature) const {
  const Digest context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  return context != nullptr && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
         EVP_DigestVerify(context.get(), raw(signature.data()), signature.size(), raw(message.data()),
                          message.size()) == 1;
}

base::Result<PrivateKey> PrivateKey::read(const std::string& path) {
  auto key = readKey(path, &PEM_read_PrivateKey, "private");
  if (!key.ok()) return std::move(key).error();
  return PrivateKey(*std::move(key));
}

Signature PrivateKey::sign(std::span<const std::byte> message) const {
  const Digest context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  Signature signature;
  size_t size = signature.size();
  CHECK(context != nullptr && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1);
  CHECK(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, raw(message.data()),
                       message.size()) == 1);
  CHECK(size == signature.size());
  return signature;
}

}  // namespace weir::wasm
