// Serialized metadata (google.protobuf.Struct and Value) as JSON: for operators, and for the filter that matches it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::format {

// A path as operators write it: "a:b:c".
std::vector<std::string> splitPath(std::string_view text);

// The fields of one filter's Struct in a serialized core.v3.Metadata; nullopt if it has none.
std::optional<std::string_view> structOf(std::string_view metadata, std::string_view filter);

// A serialized value: what a path through a Struct has led to.
struct MetadataValue {
  std::string_view bytes;  // Of a Value, or with whole of a Struct.
  bool whole = false;
};
std::optional<MetadataValue> follow(std::string_view fields, std::span<const std::string> path);

// As JSON; with bare, a string stands without quotes and escapes. False: bytes that make no sense, or deeper than 32.
bool appendMetadata(const MetadataValue& value, bool bare, std::string& out);

}  // namespace weir::format
