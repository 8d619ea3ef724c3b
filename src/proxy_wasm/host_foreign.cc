// proxy_call_foreign_function: abi.md 2.16.
#include <array>

#include "base/utf8.h"
#include "base/wire.h"
#include "proxy_wasm/foreign.h"
#include "proxy_wasm/host_functions.h"

namespace weir::proxy_wasm {
namespace {

struct Named {
  std::string_view name;
  ForeignFunction function;
};
constexpr std::array<Named, 17> kFunctions = {{{"compress", compressBytes},
                                               {"uncompress", uncompressBytes},
                                               {"verify_signature", verifySignature},
                                               {"sign", signText},
                                               {"set_envoy_filter_state", setFilterState},
                                               {"clear_route_cache", clearRouteCache},
                                               {"declare_property", declareProperty},
                                               {"expr_create", createExpression},
                                               {"expr_evaluate", evaluateExpression},
                                               {"expr_delete", deleteExpression},
                                               {"inject_encoded_data_to_filter_chain", injectIntoResponse},
                                               {"inject_encoded_data_to_filter_chain_on_header", injectIntoResponse},
                                               {"get_log_level", tellLogLevel},
                                               {"weir_set_shared_data", setSharedDataFor},
                                               {"weir_delete_shared_data", deleteSharedData},
                                               {"weir_list_shared_data", listSharedData},
                                               {"weir_bound_shared_data", boundSharedData}}};

// Where the guest does not want to know it, the address is zero.
bool storeIfWanted(Call& call, uint32_t out, uint32_t value) { return out == 0 || call.writeU32(out, value); }

AbiStatus callForeignFunction(Call& call, uint32_t name, uint32_t name_size, uint32_t arguments,
                              uint32_t arguments_size, uint32_t out, uint32_t out_size) {
  const auto text = call.read(name, name_size);
  const auto bytes = call.read(arguments, arguments_size);
  if (!text || !bytes) return AbiStatus::InvalidMemoryAccess;
  const ForeignFunction function = findForeignFunction(*text);
  // A plugin that asks for an optional one must hear that it is unknown.
  if (function == nullptr) return AbiStatus::NotFound;

  std::string result;
  const AbiStatus status = function(call, *bytes, result);
  uint32_t address = 0;
  if (!result.empty() && out != 0) {
    const auto room = call.allocate(result.size());
    if (!room) return AbiStatus::InvalidMemoryAccess;
    std::memcpy(room->bytes.data(), result.data(), result.size());
    address = room->address;
  }
  const bool stored =
      storeIfWanted(call, out, address) && storeIfWanted(call, out_size, static_cast<uint32_t>(result.size()));
  return stored ? status : AbiStatus::InvalidMemoryAccess;
}

}  // namespace

ForeignMessage readForeignMessage(std::string_view message, unsigned strings) {
  using base::WireField;
  ForeignMessage read;
  base::WireReader reader(message);
  bool utf8 = true;
  while (const auto field = reader.next()) {
    if (field->number >= read.texts.size()) continue;
    if (field->kind == WireField::Kind::Varint) read.numbers[field->number] = field->value;
    if (field->kind != WireField::Kind::Bytes) continue;
    read.texts[field->number] = field->bytes;
    if ((strings >> field->number & 1) != 0) utf8 = utf8 && base::isUtf8(field->bytes);
  }
  read.well_formed = utf8 && !reader.malformed();
  return read;
}

ForeignFunction findForeignFunction(std::string_view name) {
  for (const Named& named : kFunctions) {
    if (named.name == name) return named.function;
  }
  return nullptr;
}

std::vector<HostFunctionEntry> foreignFunctions() {
  return {hostFunction<"env.proxy_call_foreign_function", callForeignFunction>()};
}

}  // namespace weir::proxy_wasm
