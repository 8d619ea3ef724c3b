// An expression as a tree: nodes in one vector, which refer to each other by index.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "cel/functions.h"
#include "cel/value.h"

namespace weir::cel {

struct Node {
  enum class Kind : uint8_t {
    Literal,      // value
    Name,         // text: a variable, an attribute or a type
    Select,       // .text of [0]
    Has,          // whether [0] has .text
    Index,        // [0][1]
    Not,          // of [0]
    Negate,       // of [0]
    Binary,       // [0] operation [1]
    And,          // [0] && [1]
    Or,           // [0] || [1]
    Conditional,  // [0] ? [1] : [2]
    List,         // all
    Map,          // key, value, key, value...
    Call,         // function of all
    Macro,        // over [0] with text as the variable: [1], and [2] for a map that filters
  };
  enum class Operation : uint8_t {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In
  };
  enum class MacroKind : uint8_t { All, Exists, ExistsOne, Map, Filter };

  Kind kind;
  Operation operation{};
  MacroKind macro{};
  Function function{};
  uint32_t depth = 1;  // Of the tree beneath it, itself included.
  Value value{};
  std::string text{};
  std::vector<uint32_t> children{};
};

struct Tree {
  std::vector<Node> nodes;
  uint32_t root = 0;
};

// What an expression may be at most.
inline constexpr size_t kMaxText = 16 * 1024;
inline constexpr uint32_t kMaxDepth = 128;

// Error (InvalidArgument): where it stops being one.
base::Result<Tree> parse(std::string_view text);

}  // namespace weir::cel
