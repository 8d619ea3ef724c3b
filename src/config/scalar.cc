#include "config/scalar.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "config/names.h"

namespace weir::config {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

void typeFault(const Place& place, std::string_view expected, const Node& node) {
  std::string got{name(node.kind)};
  if (node.isScalar() && node.kind != Node::Kind::Null) got += " (" + node.text.substr(0, 60) + ")";
  place.fault(FaultKind::Type, fmt::format("expected {}, got {}", expected, got));
}

bool isNumeric(const Node& node) { return node.kind == Node::Kind::Number || node.kind == Node::Kind::String; }

std::optional<double> parseDouble(const std::string& text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

// "10000", and also "1e4" and "10000.0", as long as nothing is lost.
template <typename T>
std::optional<T> parseInteger(const std::string& text) {
  T value = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && stopped == end) return value;

  const std::optional<double> real = parseDouble(text);
  if (!real || std::trunc(*real) != *real) return std::nullopt;
  static constexpr double kExact = 9007199254740992.0;  // 2^53: integers are exact up to here.
  if (std::abs(*real) > kExact) return std::nullopt;
  if (*real < static_cast<double>(std::numeric_limits<T>::min())) return std::nullopt;
  if (*real > static_cast<double>(std::numeric_limits<T>::max())) return std::nullopt;
  return static_cast<T>(*real);
}

template <typename T>
std::optional<T> integer(const Node& node, const Place& place) {
  if (isNumeric(node)) {
    if (const std::optional<T> value = parseInteger<T>(node.text)) return value;
  }
  typeFault(place,
            fmt::format("an integer from {} to {}", std::numeric_limits<T>::min(), std::numeric_limits<T>::max()),
            node);
  return std::nullopt;
}

std::optional<double> real(const Node& node, const Place& place) {
  if (isNumeric(node)) {
    if (const std::optional<double> value = parseDouble(node.text)) return value;
  }
  typeFault(place, "a number", node);
  return std::nullopt;
}

std::optional<bool> boolean(const Node& node, const Place& place) {
  const bool readable = node.kind == Node::Kind::Bool || node.kind == Node::Kind::String;
  if (readable && node.text == "true") return true;
  if (readable && node.text == "false") return false;
  typeFault(place, "true or false", node);
  return std::nullopt;
}

std::optional<std::string> string(const Node& node, const Place& place) {
  if (node.kind == Node::Kind::String) return node.text;
  const bool scalar = node.kind == Node::Kind::Bool || node.kind == Node::Kind::Number;
  typeFault(place, scalar ? "a string (put it in quotes)" : "a string", node);
  return std::nullopt;
}

std::optional<std::string> bytes(const Node& node, const Place& place) {
  if (node.kind != Node::Kind::String) {
    typeFault(place, "bytes in base64", node);
    return std::nullopt;
  }
  std::optional<std::string> decoded = decodeBase64(node.text);
  if (!decoded) place.fault(FaultKind::Type, "expected bytes in base64");
  return decoded;
}

std::string upper(std::string text) {
  for (char& c : text) c = (c >= 'a' && c <= 'z') ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

const EnumValueDescriptor* enumByName(const EnumDescriptor& type, const std::string& text) {
  if (const EnumValueDescriptor* value = type.FindValueByName(text)) return value;
  const std::string wanted = upper(text);
  for (int i = 0; i < type.value_count(); i++) {
    if (upper(type.value(i)->name()) == wanted) return type.value(i);
  }
  return nullptr;
}

std::optional<int> enumNumber(const Node& node, const EnumDescriptor& type, const Place& place) {
  if (isNumeric(node)) {
    if (const std::optional<int32_t> number = parseInteger<int32_t>(node.text)) return *number;
  }
  if (node.kind == Node::Kind::String) {
    if (const EnumValueDescriptor* value = enumByName(type, node.text)) return value->number();
  }
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); i++) names.push_back(type.value(i)->name());
  if (node.kind != Node::Kind::String) {
    typeFault(place, fmt::format("one of {}", fmt::join(names, ", ")), node);
  } else {
    place.fault(FaultKind::Unknown, fmt::format("unknown value '{}'; expected one of {}{}", node.text,
                                                fmt::join(names, ", "), didYouMean(node.text, names)));
  }
  return std::nullopt;
}

// Sets or appends through the one pair of reflection calls that fits the type.
template <typename T>
void store(Message& message, const FieldDescriptor& field, std::optional<T> value,
           void (google::protobuf::Reflection::*set)(Message*, const FieldDescriptor*, T) const,
           void (google::protobuf::Reflection::*add)(Message*, const FieldDescriptor*, T) const) {
  if (!value) return;
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  if (field.is_repeated()) {
    (reflection.*add)(&message, &field, std::move(*value));
  } else if (field.has_presence() || *value != T{}) {
    (reflection.*set)(&message, &field, std::move(*value));
  }
}

}  // namespace

void readScalar(const Node& node, Message& message, const FieldDescriptor& field, const Place& place) {
  using R = google::protobuf::Reflection;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return store<int32_t>(message, field, integer<int32_t>(node, place), &R::SetInt32, &R::AddInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return store<int64_t>(message, field, integer<int64_t>(node, place), &R::SetInt64, &R::AddInt64);
    case FieldDescriptor::CPPTYPE_UINT32:
      return store<uint32_t>(message, field, integer<uint32_t>(node, place), &R::SetUInt32, &R::AddUInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return store<uint64_t>(message, field, integer<uint64_t>(node, place), &R::SetUInt64, &R::AddUInt64);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return store<double>(message, field, real(node, place), &R::SetDouble, &R::AddDouble);
    case FieldDescriptor::CPPTYPE_FLOAT: {
      const std::optional<double> value = real(node, place);
      const std::optional<float> narrow = value ? std::optional<float>(static_cast<float>(*value)) : std::nullopt;
      return store<float>(message, field, narrow, &R::SetFloat, &R::AddFloat);
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      return store<bool>(message, field, boolean(node, place), &R::SetBool, &R::AddBool);
    case FieldDescriptor::CPPTYPE_ENUM:
      return store<int>(message, field, enumNumber(node, *field.enum_type(), place), &R::SetEnumValue,
                        &R::AddEnumValue);
    case FieldDescriptor::CPPTYPE_STRING: {
      const bool binary = field.type() == FieldDescriptor::TYPE_BYTES;
      return store<std::string>(message, field, binary ? bytes(node, place) : string(node, place), &R::SetString,
                                &R::AddString);
    }
    case FieldDescriptor::CPPTYPE_MESSAGE: CHECK(false);
  }
}

std::optional<SecondsAndNanos> parseDuration(std::string_view text) {
  static constexpr int64_t kMaxSeconds = 315'576'000'000;  // google.protobuf.Duration: about 10,000 years.
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (!text.ends_with('s')) return std::nullopt;
  text.remove_suffix(1);

  const std::string_view whole = text.substr(0, text.find('.'));
  SecondsAndNanos result;
  const auto [stopped, error] = std::from_chars(whole.data(), whole.data() + whole.size(), result.seconds);
  if (whole.empty() || whole[0] == '-' || error != std::errc() || stopped != whole.data() + whole.size()) {
    return std::nullopt;
  }
  if (result.seconds > kMaxSeconds) return std::nullopt;
  if (whole.size() < text.size()) {
    std::string fraction{text.substr(whole.size() + 1)};
    if (fraction.empty() || fraction.size() > 9) return std::nullopt;
    if (fraction.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
    fraction.resize(9, '0');
    std::from_chars(fraction.data(), fraction.data() + fraction.size(), result.nanos);
  }
  if (negative) {
    result.seconds = -result.seconds;
    result.nanos = -result.nanos;
  }
  return result;
}

std::optional<std::string> decodeBase64(std::string_view text) {
  for (int padding = 0; padding < 2 && text.ends_with('='); padding++) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  uint32_t pending = 0;
  int bits = 0;
  for (const char c : text) {
    uint32_t value = 0;
    if (c >= 'A' && c <= 'Z') {
      value = static_cast<uint32_t>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      value = static_cast<uint32_t>(c - 'a' + 26);
    } else if (c >= '0' && c <= '9') {
      value = static_cast<uint32_t>(c - '0' + 52);
    } else if (c == '+' || c == '-') {
      value = 62;
    } else if (c == '/' || c == '_') {
      value = 63;
    } else {
      return std::nullopt;
    }
    pending = (pending << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>((pending >> bits) & 0xFF);
    }
  }
  return out;
}

}  // namespace weir::config
