// A JSON log line: a tree whose strings are formats. Properties are sorted by name, as in Envoy; a string that is one
// operator alone takes that operator's type (numbers stay numbers, metadata an object); everything else is a string.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "format/text_format.h"

namespace weir::format {

// The tree as configuration gives it.
struct JsonSpec {
  struct Property;
  using List = std::vector<JsonSpec>;
  using Object = std::vector<Property>;                                         // In any order.
  std::variant<std::monostate, bool, double, std::string, List, Object> value;  // monostate: null
  bool operator==(const JsonSpec& other) const;  // Not defaulted here: a property is not complete yet.
};

struct JsonSpec::Property {
  std::string name;
  JsonSpec value;
  bool operator==(const Property& other) const = default;
};

class JsonFormat {
 public:
  // root: an object. Error (side Operator): of a format in it, with the property's path. Deeper than 32 is refused.
  static base::Result<JsonFormat> create(const JsonSpec& root, bool omit_empty);
  // Without a newline. Absent values are null; with omit_empty properties without a value are left out.
  void append(const Entry& entry, std::string& out) const;

 private:
  struct Node {
    enum class Kind : uint8_t { Constant, Single, Mixed, List, Object };
    Kind kind = Kind::Constant;
    std::string name;  // Of a property, as `"name":`
    std::string text;  // A constant, as JSON.
    bool null = false;
    TextFormat format;
    std::vector<Node> children;
  };
  static base::Result<Node> compile(const JsonSpec& spec, int depth);
  static base::Result<Node> compileText(const std::string& text);
  // False: there is no value, and nothing was appended.
  bool appendNode(const Node& node, const Entry& entry, std::string& out) const;
  bool appendSingle(const Operator& operation, const Entry& entry, std::string& out) const;
  void appendMixed(const TextFormat& format, const Entry& entry, std::string& out) const;
  void appendItems(const Node& node, const Entry& entry, std::string& out) const;

  Node root_;
  bool omit_empty_ = false;
};

}  // namespace weir::format
