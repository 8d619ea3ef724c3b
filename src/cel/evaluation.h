// One evaluation of a tree: its variables, and what of its limits is used up.
#pragma once

#include <string>
#include <vector>

#include "cel/expression.h"
#include "cel/syntax.h"

namespace weir::cel {

class Evaluation {
 public:
  Evaluation(const Tree& tree, Attributes& attributes) : tree_(tree), attributes_(attributes) {}

  // May be a Path.
  Value of(uint32_t index);
  // The same with a path's value in its place; an error if it has none.
  Value valueOf(uint32_t index) { return resolved(of(index)); }
  Value resolved(Value value);

 private:
  Value name(const Node& node);
  Value select(const Node& node);
  Value has(const Node& node);
  Value index(const Node& node);
  Value negate(const Node& node);
  Value binary(const Node& node);
  Value isIn(const Node& node);
  // decides: the operand that settles it, true for ||, false for &&.
  Value either(const Node& node, bool decides);
  Value conditional(const Node& node);
  Value list(const Node& node);
  Value map(const Node& node);
  Value call(const Node& node);
  Value macro(const Node& node);
  Value quantifier(const Node& node, const Value::List& over);
  Value existsOne(const Node& node, const Value::List& over);
  Value transform(const Node& node, const Value::List& over);
  // The expression for one element.
  Value with(const Node& node, size_t child, const Value& element);
  // Takes that many bytes of what may be made. False: there are not so many left.
  bool afford(size_t bytes);
  Value afforded(Value value);
  // Counts the steps that it takes to walk over so many bytes.
  void work(size_t bytes);

  struct Variable {
    std::string_view name;
    Value value;
  };
  const Tree& tree_;
  Attributes& attributes_;
  std::vector<Variable> variables_;
  uint32_t steps_ = 0;
  size_t bytes_ = 0;
};

// Operations on two values, neither an error nor a path.
Value operate(Node::Operation operation, const Value& left, const Value& right);

}  // namespace weir::cel
