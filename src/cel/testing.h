// For tests: attributes from a table, and values as text.
#pragma once

#include <fmt/core.h>

#include <map>
#include <string>

#include "cel/expression.h"

namespace weir::cel {

// "request.path" and so on; what is only a beginning of names is a family.
class TableOfAttributes final : public Attributes {
 public:
  bool knows(std::string_view name) override { return name == "request"; }
  Found find(std::span<const std::string> names, Value& out) override {
    std::string path;
    for (const std::string& name : names) path += (path.empty() ? "" : ".") + name;
    const auto found = values.find(path);
    if (found != values.end()) {
      out = found->second;
      return Found::Value;
    }
    const auto next = values.lower_bound(path + ".");
    return next != values.end() && next->first.starts_with(path + ".") ? Found::Family : Found::Absent;
  }
  std::map<std::string, Value> values;
};

// 1, 1u, 1.5, "text", b"bytes", [1, 2], {"a": 1}, 5ns, @5ns, ERROR: why.
inline std::string show(const Value& value) {
  using Kind = Value::Kind;
  std::string out;
  switch (value.kind()) {
    case Kind::Error: return "ERROR: " + value.text();
    case Kind::Null: return "null";
    case Kind::Bool: return value.boolean() ? "true" : "false";
    case Kind::Int: return fmt::format("{}", value.integer());
    case Kind::Uint: return fmt::format("{}u", value.unsignedInteger());
    case Kind::Double: return fmt::format("{:#}", value.real());
    case Kind::String: return "\"" + value.text() + "\"";
    case Kind::Bytes: return "b\"" + value.text() + "\"";
    case Kind::Duration: return fmt::format("{}ns", value.integer());
    case Kind::Timestamp: return fmt::format("@{}ns", value.integer());
    case Kind::Type: return value.text();
    case Kind::Message: return "message";
    case Kind::Path: return "path";
    case Kind::List:
      for (const Value& element : value.list()) out += (out.empty() ? "" : ", ") + show(element);
      return "[" + out + "]";
    case Kind::Map:
      for (const auto& [key, of] : value.map()) out += (out.empty() ? "" : ", ") + show(key) + ": " + show(of);
      return "{" + out + "}";
  }
  return out;
}

}  // namespace weir::cel
