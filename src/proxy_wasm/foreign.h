// Functions that a guest calls by name (proxy_call_foreign_function): Envoy's, Higress', and weir's own, which begin
// with weir_. Arguments are bytes, most often a message of the package envoy.source.extensions.common.wasm, or of
// weir.plugins.v1.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "proxy_wasm/call.h"

namespace weir::proxy_wasm {

// arguments: guest memory; no guest code may run meanwhile. result: for the guest, also where the status is none of
// success.
using ForeignFunction = AbiStatus (*)(Call& call, std::string_view arguments, std::string& result);

// The fields of an argument that is a message, by their numbers; those above are nobody's.
struct ForeignMessage {
  std::array<std::string_view, 6> texts;  // Strings, bytes and messages; empty if absent.
  std::array<std::optional<uint64_t>, 6> numbers;
  bool well_formed = false;

  uint64_t number(size_t field) const { return numbers[field].value_or(0); }
  // As protobuf reads a uint32 of a longer number.
  uint32_t number32(size_t field) const { return static_cast<uint32_t>(number(field)); }
};
// strings: a bit for each field that is a string, and hence UTF-8. The texts are views of the message.
ForeignMessage readForeignMessage(std::string_view message, unsigned strings);

// Null: there is none of that name.
ForeignFunction findForeignFunction(std::string_view name);

// What may come out of uncompress(); more is an error.
inline constexpr size_t kMaxUncompressed = 16 * 1024 * 1024;

// foreign_bytes.cc
AbiStatus deflated(std::string_view bytes, std::string& result);
AbiStatus inflated(std::string_view bytes, std::string& result);
AbiStatus compressBytes(Call& call, std::string_view arguments, std::string& result);
AbiStatus uncompressBytes(Call& call, std::string_view arguments, std::string& result);
AbiStatus verifySignature(Call& call, std::string_view arguments, std::string& result);
AbiStatus signText(Call& call, std::string_view arguments, std::string& result);
// foreign_state.cc
AbiStatus setFilterState(Call& call, std::string_view arguments, std::string& result);
AbiStatus clearRouteCache(Call& call, std::string_view arguments, std::string& result);
AbiStatus declareProperty(Call& call, std::string_view arguments, std::string& result);
// foreign_shared_data.cc
AbiStatus setSharedDataFor(Call& call, std::string_view arguments, std::string& result);
AbiStatus deleteSharedData(Call& call, std::string_view arguments, std::string& result);
AbiStatus listSharedData(Call& call, std::string_view arguments, std::string& result);
AbiStatus boundSharedData(Call& call, std::string_view arguments, std::string& result);
// foreign_expression.cc
AbiStatus createExpression(Call& call, std::string_view arguments, std::string& result);
AbiStatus evaluateExpression(Call& call, std::string_view arguments, std::string& result);
AbiStatus deleteExpression(Call& call, std::string_view arguments, std::string& result);
// foreign_higress.cc
AbiStatus injectIntoResponse(Call& call, std::string_view arguments, std::string& result);
AbiStatus tellLogLevel(Call& call, std::string_view arguments, std::string& result);

}  // namespace weir::proxy_wasm
