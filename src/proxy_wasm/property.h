// Looks up a property by its path: what is known of the request, the connection, the upstream, the route, and the
// plugin itself (abi.md 2.15). Names are compared, never copied; most values need no memory.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "proxy_wasm/abi.h"
#include "proxy_wasm/context.h"
#include "proxy_wasm/metadata_value.h"

namespace weir::proxy_wasm {

// A property in the encoding of the ABI: text raw, integers, times and durations (in ns) 8 bytes, booleans 1 byte. And
// what it is, which the encoding does not say.
class PropertyValue {
 public:
  std::string_view bytes() const { return bytes_; }
  PropertyType type() const { return type_; }
  // Of a Struct or List: the protobuf message that bytes() were made of.
  std::string_view source() const { return storage_.source; }
  // What view points to must outlive the value.
  AbiStatus text(std::string_view view);
  // Serialized.
  AbiStatus message(std::string_view view);
  AbiStatus owned(std::string text);
  AbiStatus pairs(std::string serialized);
  AbiStatus number(int64_t value, PropertyType type = PropertyType::Int);
  AbiStatus boolean(bool value);
  // Room for a text() that has to be put together.
  std::string& room() { return storage_.bytes; }
  // What another reader writes; status is handed through.
  EncodedProperty& storage() { return storage_; }
  AbiStatus stored(AbiStatus status);

 private:
  std::string_view bytes_;
  PropertyType type_ = PropertyType::Text;
  EncodedProperty storage_;
  std::array<char, 8> small_;
};

// The segments of a path as plugins send it: split at NUL, with or without one at the end.
class PropertyPath {
 public:
  static constexpr size_t kMaxSegments = 16;
  explicit PropertyPath(std::string_view path);
  // Empty if there were none or too many.
  PathRest segments() const { return {segments_.data(), count_}; }

 private:
  std::array<std::string_view, kMaxSegments> segments_;
  size_t count_ = 0;
};

// The cluster to which a request goes, as far as it is known; empty if it is not, or there is none.
std::string_view clusterOf(const filter::StreamInfo& info);

// What a property is asked of: a context that has a stream or connection, or is told of one in a log.
struct Subject {
  Context& context;
  const filter::StreamInfo& known;
  const filter::StreamInfo& info() const { return known; }
  Vm& vm() const { return context.vm(); }
  // The headers that properties are read from: as far as the guest may see them now.
  const http::HeaderMap* visibleHeaders(HeaderMapType type) const { return context.readableMap(type); }
};

AbiStatus readProperty(Context& context, std::string_view path, PropertyValue& value);
// The same by its names; not empty.
AbiStatus readProperty(Context& context, PathRest names, PropertyValue& value);

// The families of properties. rest: what follows the family's name.
AbiStatus requestProperty(const Subject& stream, PathRest rest, PropertyValue& value);
AbiStatus responseProperty(const Subject& stream, PathRest rest, PropertyValue& value);
AbiStatus connectionProperty(const Subject& stream, PathRest rest, PropertyValue& value);
AbiStatus upstreamProperty(const Subject& stream, PathRest rest, PropertyValue& value);
// Without the leading "xds", which old modules leave out.
AbiStatus xdsProperty(const Subject& stream, PathRest rest, PropertyValue& value);

}  // namespace weir::proxy_wasm
