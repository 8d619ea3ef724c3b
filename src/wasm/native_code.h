// Native code that a module carries with it, so that a proxy need not compile it: a custom section, made by
// `weir compile`. Native code is outside of every sandbox, hence the signature: it covers the code, the engine that it
// is for, and the module it was made from.
//
// The section "weir_native" at the end of the module: 64 bytes of signature, the length of the engine's name as a byte,
// the name, the code.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wasm/signing.h"

namespace weir::wasm {

struct NativeCode {
  std::span<const std::byte> module;  // What comes before the section.
  Signature signature;
  std::string_view engine;  // Only the engine of the same name can use it.
  std::span<const std::byte> code;
};

// nullopt: there is no such section, or not as the last thing in the module. Views of bytes; nothing is verified.
std::optional<NativeCode> findNativeCode(std::span<const std::byte> bytes);

// Whether the signature is by that key, and for just this.
bool isSignedBy(const NativeCode& native, const PublicKey& key);

// The module with the code embedded; what it had embedded before is left out. engine: at most 255 bytes.
std::vector<std::byte> embedNativeCode(std::span<const std::byte> module, std::string_view engine,
                                       std::span<const std::byte> code, const PrivateKey& key);

}  // namespace weir::wasm
