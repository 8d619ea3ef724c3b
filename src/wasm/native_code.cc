#include "wasm/native_code.h"

#include <algorithm>

#include "base/check.h"
#include "wasm/byte_reader.h"
#include "wasm/digest.h"

namespace weir::wasm {
namespace {

constexpr std::string_view kSection = "weir_native";
constexpr std::string_view kPurpose = "weir: native code, form 1";
constexpr size_t kHeaderBytes = 8;  // "\0asm" and the version.

void append(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}
void append(std::vector<std::byte>& out, std::string_view text) {
  append(out, std::as_bytes(std::span(text.data(), text.size())));
}
void appendNumber(std::vector<std::byte>& out, size_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::byte>((value & 0x7f) | 0x80));
  out.push_back(static_cast<std::byte>(value));
}

// Digests have a fixed length: nothing is ambiguous.
std::vector<std::byte> messageOf(std::span<const std::byte> module, std::string_view engine,
                                 std::span<const std::byte> code) {
  std::vector<std::byte> message;
  append(message, kPurpose);
  append(message, sha256(module));
  append(message, sha256(std::as_bytes(std::span(engine.data(), engine.size()))));
  append(message, sha256(code));
  return message;
}

}  // namespace

std::optional<NativeCode> findNativeCode(std::span<const std::byte> bytes) {
  ByteReader module(bytes);
  module.take(kHeaderBytes);
  while (!module.failed() && !module.rest().empty()) {
    const size_t before = bytes.size() - module.rest().size();
    const uint8_t id = module.byte();
    ByteReader section(module.take(module.number()));
    if (module.failed() || id != 0 || section.text(section.number()) != kSection) continue;
    if (!module.rest().empty()) continue;
    NativeCode native;
    native.module = bytes.first(before);
    const auto signature = section.take(native.signature.size());
    std::copy(signature.begin(), signature.end(), native.signature.begin());
    native.engine = section.text(section.byte());
    native.code = section.rest();
    return section.failed() ? std::nullopt : std::optional(native);
  }
  return std::nullopt;
}

bool isSignedBy(const NativeCode& native, const PublicKey& key) {
  return key.verifies(messageOf(native.module, native.engine, native.code), native.signature);
}

std::vector<std::byte> embedNativeCode(std::span<const std::byte> module, std::string_view engine,
                                       std::span<const std::byte> code, const PrivateKey& key) {
  CHECK(engine.size() <= 255);
  if (const auto before = findNativeCode(module)) module = before->module;
  std::vector<std::byte> section;
  appendNumber(section, kSection.size());
  append(section, kSection);
  append(section, key.sign(messageOf(module, engine, code)));
  section.push_back(static_cast<std::byte>(engine.size()));
  append(section, engine);
  append(section, code);

  std::vector<std::byte> out(module.begin(), module.end());
  out.push_back(std::byte{0});
  appendNumber(out, section.size());
  append(out, section);
  return out;
}

}  // namespace weir::wasm
