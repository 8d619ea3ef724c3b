// SHA-256 and its HMAC, by OpenSSL.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace weir::wasm {

using Sha256 = std::array<std::byte, 32>;

Sha256 sha256(std::span<const std::byte> bytes);
Sha256 hmacSha256(std::span<const std::byte> key, std::span<const std::byte> message);
std::string hex(std::span<const std::byte> bytes);

// Takes the same time wherever they differ.
bool equalInConstantTime(std::span<const std::byte> a, std::span<const std::byte> b);

}  // namespace weir::wasm
