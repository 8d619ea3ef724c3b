// What a plugin says, by declare_property, of a property that it will set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace weir::proxy_wasm {

struct DeclaredProperty {
  // How expressions see the value.
  enum class Type : uint8_t { Bytes, Text, Message };
  Type type = Type::Bytes;
  bool read_only = false;  // Set once, it stays.
};

using DeclaredProperties = std::map<std::string, DeclaredProperty, std::less<>>;

// How many a plugin may declare.
inline constexpr size_t kMaxDeclaredProperties = 1024;

}  // namespace weir::proxy_wasm
