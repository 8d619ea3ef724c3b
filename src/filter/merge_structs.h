// What a google.protobuf.Struct says over another: of dynamic metadata that is written twice.
#pragma once

#include <string>
#include <string_view>

namespace weir::filter {

// added over fields, both serialized: a key of both has the new value, but structs are merged and lists appended to. As
// Envoy. Keys come out sorted; below 32 levels the new value is taken whole. Bytes that make no sense are left out.
std::string mergeStructs(std::string_view fields, std::string_view added);

}  // namespace weir::filter
