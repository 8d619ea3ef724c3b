// int(), uint(), double(), string(), bytes(), bool(), duration(), timestamp().
#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/utf8.h"
#include "cel/functions.h"

namespace weir::cel {
namespace {

using Kind = Value::Kind;

constexpr int64_t kSecond = 1'000'000'000;

Value noOverload() { return Value::error("no matching overload"); }
Value outOfRange() { return Value::error("out of range"); }

template <typename Number>
Value parsed(std::string_view text) {
  Number number{};
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return Value::error("no number");
  return Value(number);
}

Value toInt(const Value& value) {
  switch (value.kind()) {
    case Kind::Bool: return Value(int64_t{value.boolean()});
    case Kind::Int: return value;
    case Kind::Uint:
      return value.unsignedInteger() > INT64_MAX ? outOfRange() : Value(static_cast<int64_t>(value.unsignedInteger()));
    case Kind::Double:
      if (!(value.real() > -0x1p63 && value.real() < 0x1p63)) return outOfRange();
      return Value(static_cast<int64_t>(value.real()));
    case Kind::String: return parsed<int64_t>(value.text());
    case Kind::Timestamp: return Value(value.integer() / kSecond - (value.integer() % kSecond < 0 ? 1 : 0));
    default: return noOverload();
  }
}

Value toUint(const Value& value) {
  switch (value.kind()) {
    case Kind::Uint: return value;
    case Kind::Int: return value.integer() < 0 ? outOfRange() : Value(static_cast<uint64_t>(value.integer()));
    case Kind::Double:
      if (!(value.real() > -1.0 && value.real() < 0x1p64)) return outOfRange();
      return Value(static_cast<uint64_t>(value.real()));
    case Kind::String: return parsed<uint64_t>(value.text());
    default: return noOverload();
  }
}

Value toDouble(const Value& value) {
  switch (value.kind()) {
    case Kind::Double: return value;
    case Kind::Int: return Value(static_cast<double>(value.integer()));
    case Kind::Uint: return Value(static_cast<double>(value.unsignedInteger()));
    case Kind::String: return parsed<double>(value.text());
    default: return noOverload();
  }
}

Value toString(const Value& value) {
  switch (value.kind()) {
    case Kind::Bool: return Value::string(value.boolean() ? "true" : "false");
    case Kind::Int: return Value::string(std::to_string(value.integer()));
    case Kind::Uint: return Value::string(std::to_string(value.unsignedInteger()));
    case Kind::Double: return Value::string(fmt::format("{:.6g}", value.real()));  // As Envoy.
    case Kind::String: return value;
    case Kind::Bytes: return base::isUtf8(value.text()) ? Value::string(value.text()) : Value::error("no UTF-8");
    case Kind::Duration: return Value::string(durationText(value.integer()));
    case Kind::Timestamp: return Value::string(timestampText(value.integer()));
    default: return noOverload();
  }
}

Value toBool(const Value& value) {
  if (value.is(Kind::Bool)) return value;
  if (!value.is(Kind::String)) return noOverload();
  for (const std::string_view yes : {"true", "t", "1", "TRUE", "True"}) {
    if (value.text() == yes) return Value(true);
  }
  for (const std::string_view no : {"false", "f", "0", "FALSE", "False"}) {
    if (value.text() == no) return Value(false);
  }
  return Value::error("no truth value");
}

Value toTimestamp(const Value& value) {
  if (value.is(Kind::Timestamp)) return value;
  if (value.is(Kind::String)) return parseTimestamp(value.text());
  if (!value.is(Kind::Int)) return noOverload();
  int64_t nanoseconds = 0;
  if (__builtin_mul_overflow(value.integer(), kSecond, &nanoseconds)) return outOfRange();
  return Value::timestamp(nanoseconds);
}

}  // namespace

Value convert(Function function, const Value& value) {
  switch (function) {
    case Function::ToInt: return toInt(value);
    case Function::ToUint: return toUint(value);
    case Function::ToDouble: return toDouble(value);
    case Function::ToString: return toString(value);
    case Function::ToBytes:
      if (value.is(Kind::Bytes)) return value;
      return value.is(Kind::String) ? Value::bytes(value.text()) : noOverload();
    case Function::ToBool: return toBool(value);
    case Function::ToDuration:
      if (value.is(Kind::Duration)) return value;
      return value.is(Kind::String) ? parseDuration(value.text()) : noOverload();
    default: return toTimestamp(value);
  }
}

}  // namespace weir::cel
