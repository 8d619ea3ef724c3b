// Looks up a path in a serialized Metadata, Struct or Node and gives what it finds as a property has it (abi.md 2.15):
// strings raw, numbers as 8 bytes, booleans as 1, structs and lists as pairs, messages serialized.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "proxy_wasm/abi.h"

namespace weir::proxy_wasm {

// The segments of a property's path that are still to be followed.
using PathRest = std::span<const std::string_view>;

// What a property is: the encoding does not say it.
enum class PropertyType : uint8_t {
  Text,
  Int,
  Uint,
  Double,
  Bool,
  Time,
  Duration,
  Pairs,    // Of texts.
  Struct,   // google.protobuf.Struct
  List,     // google.protobuf.ListValue
  Message,  // Serialized.
};

struct EncodedProperty {
  std::string bytes;
  PropertyType type = PropertyType::Text;
  std::string_view source;  // Of a Struct or List: the message that it was made of.
};

// envoy.config.core.v3.Metadata: the whole message, filter_metadata, filter_metadata.<namespace>.<key>...
AbiStatus readMetadata(std::string_view metadata, PathRest path, EncodedProperty& out);
// google.protobuf.Struct.
AbiStatus readStruct(std::string_view message, PathRest path, EncodedProperty& out);
// envoy.config.core.v3.Node: the whole message, id, cluster, metadata..., locality.region and so on.
AbiStatus readNode(std::string_view node, PathRest path, EncodedProperty& out);

}  // namespace weir::proxy_wasm
