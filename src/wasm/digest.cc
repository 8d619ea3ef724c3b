#include "wasm/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/check.h"

namespace weir::wasm {
namespace {

const unsigned char* unsignedOf(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

Sha256 sha256(std::span<const std::byte> bytes) {
  Sha256 result;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(result.data()), nullptr, EVP_sha256(),
                   nullptr) == 1);
  return result;
}

Sha256 hmacSha256(std::span<const std::byte> key, std::span<const std::byte> message) {
  Sha256 result;
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), unsignedOf(message), message.size(),
             reinterpret_cast<unsigned char*>(result.data()), nullptr) != nullptr);
  return result;
}

std::string hex(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::byte byte : bytes) {
    text += kDigits[static_cast<unsigned>(byte) >> 4];
    text += kDigits[static_cast<unsigned>(byte) & 15];
  }
  return text;
}

bool equalInConstantTime(std::span<const std::byte> a, std::span<const std::byte> b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace weir::wasm
