#include "config/struct_json.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

namespace weir::config {
namespace {

void writeStruct(const google::protobuf::Struct& fields, std::string& out);

void writeString(const std::string& text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

void writeNumber(double number, std::string& out) {
  static constexpr double kExact = 9007199254740992.0;  // 2^53: integers are exact up to here.
  if (std::isnan(number)) {
    out += "\"NaN\"";
  } else if (std::isinf(number)) {
    out += number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else if (std::trunc(number) == number && std::abs(number) <= kExact) {
    out += std::to_string(static_cast<int64_t>(number));
  } else {
    out += fmt::format("{}", number);
  }
}

// Depth: bounded where the message came from (a document, or protobuf's own limit).
void writeValue(const google::protobuf::Value& value, std::string& out) {
  switch (value.kind_case()) {
    case google::protobuf::Value::kBoolValue: out += value.bool_value() ? "true" : "false"; return;
    case google::protobuf::Value::kNumberValue: return writeNumber(value.number_value(), out);
    case google::protobuf::Value::kStringValue: return writeString(value.string_value(), out);
    case google::protobuf::Value::kStructValue: return writeStruct(value.struct_value(), out);
    case google::protobuf::Value::kListValue:
      out += '[';
      for (int i = 0; i < value.list_value().values_size(); i++) {
        if (i > 0) out += ',';
        writeValue(value.list_value().values(i), out);
      }
      out += ']';
      return;
    default: out += "null"; return;
  }
}

void writeStruct(const google::protobuf::Struct& fields, std::string& out) {
  std::map<std::string_view, const google::protobuf::Value*> sorted;
  for (const auto& [key, value] : fields.fields()) sorted.emplace(key, &value);
  out += '{';
  bool first = true;
  for (const auto& [key, value] : sorted) {
    if (!first) out += ',';
    first = false;
    writeString(std::string(key), out);
    out += ':';
    writeValue(*value, out);
  }
  out += '}';
}

}  // namespace

std::string structAsJson(const google::protobuf::Struct& fields) {
  std::string out;
  writeStruct(fields, out);
  return out;
}

}  // namespace weir::config
