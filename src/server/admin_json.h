// JSON as the admin pages write it: one member a line, indented by one blank a level, as Envoy does.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::server {

class JsonWriter {
 public:
  JsonWriter& beginObject() { return begin('{'); }
  JsonWriter& beginArray() { return begin('['); }
  JsonWriter& endObject() { return end('}'); }
  JsonWriter& endArray() { return end(']'); }
  // Then one value, object or array.
  JsonWriter& key(std::string_view name);
  JsonWriter& text(std::string_view value);
  JsonWriter& number(uint64_t value);
  // A 64-bit number, which protobuf's JSON writes as a string.
  JsonWriter& longNumber(uint64_t value);
  // Valid JSON made elsewhere.
  JsonWriter& raw(std::string_view json);
  // What was written, with a newline at its end.
  std::string take();

 private:
  JsonWriter& begin(char bracket);
  JsonWriter& end(char bracket);
  void beforeValue();

  std::string out_;
  size_t depth_ = 0;
  bool first_ = true;       // Nothing stands in this object or array yet.
  bool after_key_ = false;  // The next value belongs to a key that was written.
};

// The text of a member of a JSON object that is known to be well-formed; empty if it has none of that name.
std::string_view memberOf(std::string_view object, std::string_view name);

}  // namespace weir::server
