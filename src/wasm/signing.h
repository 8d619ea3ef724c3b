// Ed25519 (RFC 8032) with keys from PEM files, by OpenSSL.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

struct evp_pkey_st;

namespace weir::wasm {

using Signature = std::array<std::byte, 64>;

class PublicKey {
 public:
  // Error (side Operator): no such file, or no Ed25519 key in it ("-----BEGIN PUBLIC KEY-----").
  static base::Result<PublicKey> read(const std::string& path);
  bool verifies(std::span<const std::byte> message, const Signature& signature) const;

 private:
  explicit PublicKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

class PrivateKey {
 public:
  // As above ("-----BEGIN PRIVATE KEY-----"), without a pass phrase.
  static base::Result<PrivateKey> read(const std::string& path);
  Signature sign(std::span<const std::byte> message) const;

 private:
  explicit PrivateKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace weir::wasm
