#include "cel/expression.h"

#include "cel/evaluation.h"
#include "cel/syntax.h"

namespace weir::cel {

Expression::Expression(std::unique_ptr<const Tree> tree) : tree_(std::move(tree)) {}
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;
Expression::~Expression() = default;

base::Result<Expression> Expression::create(std::string_view text) {
  auto tree = parse(text);
  if (!tree.ok()) return std::move(tree).error();
  return Expression(std::make_unique<const Tree>(std::move(*tree)));
}

Value Expression::evaluate(Attributes& attributes) const {
  Evaluation evaluation(*tree_, attributes);
  Value value = evaluation.of(tree_->root);
  if (!value.is(Value::Kind::Path)) return value;
  Value found;
  switch (attributes.find(value.names(), found)) {
    case Attributes::Found::Value: return found;
    case Attributes::Found::Family: return value;
    case Attributes::Found::Absent: break;
  }
  return Value::error("no such attribute");
}

}  // namespace weir::cel
