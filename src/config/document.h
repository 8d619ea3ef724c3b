// A configuration text as a tree that remembers where everything stood, before anything knows what it means.
//
// YAML and JSON both end here. Scalars are told apart by Envoy's rules (below), because they decide what is accepted:
// `cluster: n` is a boolean and hence no string, `name: 12` is a number, `0.25` without quotes is a string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/report.h"

namespace weir::config {

// The bounds of a document; over them it is refused. Depth bounds every recursion that follows.
inline constexpr size_t kMaxDocumentBytes = 64 * 1024 * 1024;
inline constexpr size_t kMaxDepth = 100;
// Nodes that may come from repeating anchors. An alias bomb ("billion laughs") ends here.
inline constexpr size_t kMaxAliasedNodes = 100'000;

struct Node {
  enum class Kind : uint8_t { Null, Bool, Number, String, List, Map };

  struct Member;

  Kind kind = Kind::Null;
  // String: the value. Number: decimal digits, with fraction or exponent from JSON. Bool: "true" or "false".
  std::string text;
  std::vector<Node> items;
  std::vector<Member> members;  // In the order written; a key may stand twice.
  Position position;

  bool isScalar() const { return kind != Kind::List && kind != Kind::Map; }
  // The last member of that name, or nullptr.
  const Node* find(std::string_view key) const;
};

struct Node::Member {
  std::string key;
  Position position;  // Of the key.
  Node value;
};

// "a string", "a number", "a list": for messages.
std::string_view name(Node::Kind kind);

// Both report what is wrong with the text to `report` and then return false; `out` is then of no use. An empty text is
// a fault. `source` is the number that report gave to the text.
//
// YAML 1.1 as Envoy reads it: only the first document counts (a notice tells of others), merge keys (<<) mean nothing,
// booleans have all their old spellings, integers may be hexadecimal or octal, everything else plain is a string.
bool readYaml(std::string_view text, uint16_t source, Report& report, Node& out);
// RFC 8259, strictly.
bool readJson(std::string_view text, uint16_t source, Report& report, Node& out);

}  // namespace weir::config
