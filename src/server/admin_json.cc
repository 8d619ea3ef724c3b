#include "server/admin_json.h"

#include "stats/json_string.h"

namespace weir::server {
namespace {

bool isSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// The position after the string that begins at at.
size_t afterString(std::string_view json, size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return at + 1;
}

// The position after the value that begins at at.
size_t afterValue(std::string_view json, size_t at) {
  size_t depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      at = afterString(json, at);
      if (depth == 0) return at;
      continue;
    }
    if (depth == 0 && (c == ',' || c == '}' || isSpace(c))) return at;  // The end of a number, true, false or null.
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return at + 1;
    ++at;
  }
  return json.size();
}

size_t afterSpace(std::string_view json, size_t at) {
  while (at < json.size() && (isSpace(json[at]) || json[at] == ',' || json[at] == ':')) ++at;
  return at;
}

}  // namespace

JsonWriter& JsonWriter::begin(char bracket) {
  beforeValue();
  out_ += bracket;
  ++depth_;
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::end(char bracket) {
  --depth_;
  if (!first_) out_.append(1, '\n').append(depth_, ' ');
  out_ += bracket;
  first_ = false;
  return *this;
}

void JsonWriter::beforeValue() {
  if (after_key_ || depth_ == 0) {
    after_key_ = false;
    return;
  }
  if (!first_) out_ += ',';
  out_.append(1, '\n').append(depth_, ' ');
  first_ = false;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  text(name);
  out_ += ": ";
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) { return raw(stats::jsonString(value)); }
JsonWriter& JsonWriter::number(uint64_t value) { return raw(std::to_string(value)); }
JsonWriter& JsonWriter::longNumber(uint64_t value) { return text(std::to_string(value)); }

JsonWriter& JsonWriter::raw(std::string_view json) {
  beforeValue();
  out_ += json;
  return *this;
}

std::string JsonWriter::take() { return std::move(out_) + "\n"; }

std::string_view memberOf(std::string_view object, std::string_view name) {
  const std::string wanted = stats::jsonString(name);
  size_t at = object.find('{');
  if (at == object.npos) return {};
  at = afterSpace(object, at + 1);
  while (at < object.size() && object[at] == '"') {
    const size_t key_end = afterString(object, at);
    const size_t value = afterSpace(object, key_end);
    const size_t value_end = afterValue(object, value);
    if (object.substr(at, key_end - at) == wanted) return object.substr(value, value_end - value);
    at = afterSpace(object, value_end);
  }
  return {};
}

}  // namespace weir::server
