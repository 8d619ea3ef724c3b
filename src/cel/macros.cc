// all(), exists(), exists_one(), map() and filter(): an expression for each element of a list, or each key of a map.
#include "cel/evaluation.h"

namespace weir::cel {
namespace {

using Kind = Value::Kind;

Value noOverload() { return Value::error("no matching overload"); }
Value spent() { return Value::error("it costs too much"); }

}  // namespace

Value Evaluation::macro(const Node& node) {
  const Value range = valueOf(node.children[0]);
  if (range.isError()) return range;
  if (range.is(Kind::List)) {
    if (node.macro == Node::MacroKind::ExistsOne) return existsOne(node, range.list());
    const bool quantifies = node.macro == Node::MacroKind::All || node.macro == Node::MacroKind::Exists;
    return quantifies ? quantifier(node, range.list()) : transform(node, range.list());
  }
  if (!range.is(Kind::Map)) return noOverload();
  if (!afford(range.weight())) return spent();
  Value::List keys;
  for (const auto& [key, value] : range.map()) keys.push_back(key);
  if (node.macro == Node::MacroKind::ExistsOne) return existsOne(node, keys);
  const bool quantifies = node.macro == Node::MacroKind::All || node.macro == Node::MacroKind::Exists;
  return quantifies ? quantifier(node, keys) : transform(node, keys);
}

Value Evaluation::with(const Node& node, size_t child, const Value& element) {
  variables_.push_back({node.text, element});
  Value value = valueOf(node.children[child]);
  variables_.pop_back();
  return value;
}

// As a chain of && or || over the elements.
Value Evaluation::quantifier(const Node& node, const Value::List& over) {
  const bool decides = node.macro == Node::MacroKind::Exists;
  Value outcome(!decides);
  for (const Value& element : over) {
    Value value = with(node, 1, element);
    if (value.is(Kind::Bool) && value.boolean() == decides) return value;
    if (!value.is(Kind::Bool) && !outcome.isError()) outcome = value.isError() ? value : noOverload();
    if (steps_ > Expression::kMaxSteps) return spent();
  }
  return outcome;
}

Value Evaluation::existsOne(const Node& node, const Value::List& over) {
  size_t found = 0;
  for (const Value& element : over) {
    const Value value = with(node, 1, element);
    if (!value.is(Kind::Bool)) return value.isError() ? value : noOverload();
    found += value.boolean() ? 1 : 0;
  }
  return Value(found == 1);
}

Value Evaluation::transform(const Node& node, const Value::List& over) {
  const bool filters = node.macro == Node::MacroKind::Filter || node.children.size() == 3;
  Value::List kept;
  for (const Value& element : over) {
    if (filters) {
      const Value wanted = with(node, 1, element);
      if (!wanted.is(Kind::Bool)) return wanted.isError() ? wanted : noOverload();
      if (!wanted.boolean()) continue;
    }
    kept.push_back(node.macro == Node::MacroKind::Filter ? element : with(node, node.children.size() - 1, element));
    if (kept.back().isError()) return kept.back();
  }
  return afforded(Value(std::move(kept)));
}

}  // namespace weir::cel
