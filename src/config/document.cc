#include "config/document.h"

namespace weir::config {

const Node* Node::find(std::string_view key) const {
  for (auto member = members.rbegin(); member != members.rend(); ++member) {
    if (member->key == key) return &member->value;
  }
  return nullptr;
}

// RFC 3629 4: no overlong forms, no surrogates, nothing above U+10FFFF.
std::string_view name(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::Null: return "nothing";
    case Node::Kind::Bool: return "a boolean";
    case Node::Kind::Number: return "a number";
    case Node::Kind::String: return "a string";
    case Node::Kind::List: return "a list";
    case Node::Kind::Map: return "a mapping";
  }
  return "";
}

}  // namespace weir::config
