// Finding functions, and those on texts and containers.
#include "cel/functions.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "base/utf8.h"

namespace weir::cel {
namespace {

using Kind = Value::Kind;

// Arguments include the value of a method call.
struct Form {
  std::string_view name;
  Function function;
  uint8_t least;
  uint8_t most;
  bool as_method;
  bool as_function;
};

constexpr std::array<Form, 25> kForms = {{
    {"size", Function::Size, 1, 1, true, true},
    {"startsWith", Function::StartsWith, 2, 2, true, true},
    {"endsWith", Function::EndsWith, 2, 2, true, true},
    {"contains", Function::Contains, 2, 2, true, true},
    {"matches", Function::Matches, 2, 2, true, true},
    {"int", Function::ToInt, 1, 1, false, true},
    {"uint", Function::ToUint, 1, 1, false, true},
    {"double", Function::ToDouble, 1, 1, false, true},
    {"string", Function::ToString, 1, 1, false, true},
    {"bytes", Function::ToBytes, 1, 1, false, true},
    {"bool", Function::ToBool, 1, 1, false, true},
    {"duration", Function::ToDuration, 1, 1, false, true},
    {"timestamp", Function::ToTimestamp, 1, 1, false, true},
    {"dyn", Function::Dyn, 1, 1, false, true},
    {"type", Function::Type, 1, 1, false, true},
    {"getFullYear", Function::FullYear, 1, 2, true, false},
    {"getMonth", Function::Month, 1, 2, true, false},
    {"getDate", Function::Date, 1, 2, true, false},
    {"getDayOfMonth", Function::DayOfMonth, 1, 2, true, false},
    {"getDayOfWeek", Function::DayOfWeek, 1, 2, true, false},
    {"getDayOfYear", Function::DayOfYear, 1, 2, true, false},
    {"getHours", Function::Hours, 1, 2, true, false},
    {"getMinutes", Function::Minutes, 1, 2, true, false},
    {"getSeconds", Function::Seconds, 1, 2, true, false},
    {"getMilliseconds", Function::Milliseconds, 1, 2, true, false},
}};

Value noOverload() { return Value::error("no matching overload"); }

Value size(const Value& of) {
  size_t count = 0;
  switch (of.kind()) {
    case Kind::String: count = base::codePoints(of.text()); break;
    case Kind::Bytes: count = of.text().size(); break;
    case Kind::List: count = of.list().size(); break;
    case Kind::Map: count = of.map().size(); break;
    default: return noOverload();
  }
  return Value(static_cast<int64_t>(count));
}

// What RE2 may take for one.
constexpr int64_t kRegexMemory = 1024 * 1024;

Value matches(const std::string& text, const std::string& pattern) {
  RE2::Options options(RE2::Quiet);
  options.set_max_mem(kRegexMemory);
  const RE2 regex(pattern, options);
  if (!regex.ok()) return Value::error("no regular expression");
  return Value(RE2::PartialMatch(text, regex));
}

Value onTexts(Function function, const Value& text, const Value& part) {
  if (!text.is(Kind::String) || !part.is(Kind::String)) return noOverload();
  const std::string_view whole = text.text();
  switch (function) {
    case Function::StartsWith: return Value(whole.starts_with(part.text()));
    case Function::EndsWith: return Value(whole.ends_with(part.text()));
    case Function::Contains: return Value(whole.find(part.text()) != whole.npos);
    default: return matches(text.text(), part.text());
  }
}

Value typeOf(const Value& value) {
  const std::string_view name = typeName(value.kind());
  return name.empty() ? noOverload() : Value::type(std::string(name));
}

}  // namespace

std::optional<Function> findFunction(std::string_view name, size_t arguments, bool on_value) {
  const auto found = std::find_if(kForms.begin(), kForms.end(), [&](const Form& form) {
    return form.name == name && (on_value ? form.as_method : form.as_function);
  });
  if (found == kForms.end() || arguments < found->least || arguments > found->most) return std::nullopt;
  return found->function;
}

Value call(Function function, std::span<const Value> arguments) {
  switch (function) {
    case Function::Size: return size(arguments[0]);
    case Function::StartsWith:
    case Function::EndsWith:
    case Function::Contains:
    case Function::Matches: return onTexts(function, arguments[0], arguments[1]);
    case Function::Dyn: return arguments[0];
    case Function::Type: return typeOf(arguments[0]);
    case Function::ToInt:
    case Function::ToUint:
    case Function::ToDouble:
    case Function::ToString:
    case Function::ToBytes:
    case Function::ToBool:
    case Function::ToDuration:
    case Function::ToTimestamp: return convert(function, arguments[0]);
    default: return readClock(function, arguments);
  }
}

}  // namespace weir::cel
