#include "cel/evaluation.h"

#include <algorithm>
#include <cmath>

namespace weir::cel {
namespace {

using Kind = Value::Kind;

Value noOverload() { return Value::error("no matching overload"); }
Value spent() { return Value::error("it costs too much"); }

// What compiling one may cost, in bytes walked over.
constexpr size_t kRegexWork = 64 * 1024;

constexpr std::string_view kTypes[] = {"bool",
                                       "int",
                                       "uint",
                                       "double",
                                       "string",
                                       "bytes",
                                       "list",
                                       "map",
                                       "type",
                                       "null_type",
                                       "google.protobuf.Duration",
                                       "google.protobuf.Timestamp"};

bool isType(std::string_view name) { return std::find(std::begin(kTypes), std::end(kTypes), name) != std::end(kTypes); }

// The element of a list that a number means; a double only where it is whole.
const Value* elementAt(const Value::List& list, const Value& index) {
  if (!index.isNumber()) return nullptr;
  const Order from_zero = compare(index, Value(int64_t{0}));
  if (from_zero != Order::Equal && from_zero != Order::Greater) return nullptr;
  if (compare(index, Value(static_cast<uint64_t>(list.size()))) != Order::Less) return nullptr;
  if (index.is(Kind::Int)) return &list[static_cast<size_t>(index.integer())];
  if (index.is(Kind::Uint)) return &list[static_cast<size_t>(index.unsignedInteger())];
  return index.real() == std::floor(index.real()) ? &list[static_cast<size_t>(index.real())] : nullptr;
}

bool mayBeKey(const Value& key) {
  return key.is(Kind::Bool) || key.is(Kind::Int) || key.is(Kind::Uint) || key.is(Kind::String);
}

std::vector<std::string> extended(const std::vector<std::string>& names, std::string_view name) {
  std::vector<std::string> longer = names;
  longer.emplace_back(name);
  return longer;
}

}  // namespace

Value Evaluation::of(uint32_t at) {
  if (++steps_ > Expression::kMaxSteps) return spent();
  const Node& node = tree_.nodes[at];
  switch (node.kind) {
    case Node::Kind::Literal: return node.value;
    case Node::Kind::Name: return name(node);
    case Node::Kind::Select: return select(node);
    case Node::Kind::Has: return has(node);
    case Node::Kind::Index: return index(node);
    case Node::Kind::Not:
    case Node::Kind::Negate: return negate(node);
    case Node::Kind::Binary: return node.operation == Node::Operation::In ? isIn(node) : binary(node);
    case Node::Kind::And: return either(node, false);
    case Node::Kind::Or: return either(node, true);
    case Node::Kind::Conditional: return conditional(node);
    case Node::Kind::List: return list(node);
    case Node::Kind::Map: return map(node);
    case Node::Kind::Call: return call(node);
    case Node::Kind::Macro: return macro(node);
  }
  return noOverload();
}

Value Evaluation::resolved(Value value) {
  if (!value.is(Kind::Path)) return value;
  Value found;
  const auto outcome = attributes_.find(value.names(), found);
  if (outcome == Attributes::Found::Value) return afford(found.weight()) ? found : spent();
  return Value::error("no such attribute");
}

Value Evaluation::afforded(Value value) { return afford(value.weight()) ? value : spent(); }

void Evaluation::work(size_t bytes) {
  steps_ += static_cast<uint32_t>(std::min<size_t>(bytes / sizeof(Value), Expression::kMaxSteps));
}

bool Evaluation::afford(size_t bytes) {
  bytes_ += bytes;
  return bytes_ <= Expression::kMaxBytes;
}

// --- Names and what they hold ---

Value Evaluation::name(const Node& node) {
  for (size_t i = variables_.size(); i-- > 0;) {
    if (variables_[i].name == node.text) return variables_[i].value;
  }
  if (attributes_.knows(node.text)) return Value::path({node.text});
  return isType(node.text) ? Value::type(node.text) : Value::error("no such name");
}

Value Evaluation::select(const Node& node) {
  const Value of_what = of(node.children[0]);
  if (of_what.isError()) return of_what;
  if (of_what.is(Kind::Path)) return Value::path(extended(of_what.names(), node.text));
  if (!of_what.is(Kind::Map)) return noOverload();
  const Value* const found = lookUp(of_what.map(), Value::string(node.text));
  return found != nullptr ? *found : Value::error("no such key");
}

Value Evaluation::has(const Node& node) {
  const Value of_what = of(node.children[0]);
  if (of_what.isError()) return of_what;
  if (of_what.is(Kind::Path)) {
    Value found;
    return Value(attributes_.find(extended(of_what.names(), node.text), found) != Attributes::Found::Absent);
  }
  return of_what.is(Kind::Map) ? Value(lookUp(of_what.map(), Value::string(node.text)) != nullptr) : noOverload();
}

Value Evaluation::index(const Node& node) {
  const Value of_what = of(node.children[0]);
  if (of_what.isError()) return of_what;
  const Value key = valueOf(node.children[1]);
  if (key.isError()) return key;
  if (of_what.is(Kind::Path)) {
    if (key.is(Kind::String)) return Value::path(extended(of_what.names(), key.text()));
    if (key.is(Kind::Int)) return Value::path(extended(of_what.names(), std::to_string(key.integer())));
    return noOverload();
  }
  const Value* found = nullptr;
  if (of_what.is(Kind::List)) found = elementAt(of_what.list(), key);
  if (of_what.is(Kind::Map)) found = lookUp(of_what.map(), key);
  return found != nullptr ? *found : Value::error("no such element");
}

Value Evaluation::isIn(const Node& node) {
  const Value element = valueOf(node.children[0]);
  if (element.isError()) return element;
  const Value container = of(node.children[1]);
  if (container.is(Kind::Path) && element.is(Kind::String)) {
    Value found;
    return Value(attributes_.find(extended(container.names(), element.text()), found) != Attributes::Found::Absent);
  }
  const Value value = resolved(container);
  if (value.isError()) return value;
  if (value.is(Kind::Map)) return Value(lookUp(value.map(), element) != nullptr);
  if (!value.is(Kind::List)) return noOverload();
  work(value.weight());
  return Value(
      std::any_of(value.list().begin(), value.list().end(), [&](const Value& v) { return equal(v, element); }));
}

// --- Operators ---

Value Evaluation::negate(const Node& node) {
  const Value value = valueOf(node.children[0]);
  if (value.isError()) return value;
  if (node.kind == Node::Kind::Not) return value.is(Kind::Bool) ? Value(!value.boolean()) : noOverload();
  if (value.is(Kind::Double)) return Value(-value.real());
  if (!value.is(Kind::Int)) return noOverload();
  return value.integer() == INT64_MIN ? Value::error("integer overflow") : Value(-value.integer());
}

Value Evaluation::binary(const Node& node) {
  const Value left = valueOf(node.children[0]);
  if (left.isError()) return left;
  const Value right = valueOf(node.children[1]);
  if (right.isError()) return right;
  // Lists are compared element by element, texts byte by byte.
  work(std::min(left.weight(), right.weight()));
  if (node.operation == Node::Operation::Add && !afford(left.weight() + right.weight())) return spent();
  return operate(node.operation, left, right);
}

// CEL: an operand that settles it does so whatever became of the other, in either order.
Value Evaluation::either(const Node& node, bool decides) {
  const Value left = valueOf(node.children[0]);
  if (left.is(Kind::Bool) && left.boolean() == decides) return left;
  const Value right = valueOf(node.children[1]);
  if (right.is(Kind::Bool) && right.boolean() == decides) return right;
  if (left.isError()) return left;
  if (right.isError()) return right;
  return left.is(Kind::Bool) && right.is(Kind::Bool) ? Value(!decides) : noOverload();
}

Value Evaluation::conditional(const Node& node) {
  const Value condition = valueOf(node.children[0]);
  if (condition.isError()) return condition;
  if (!condition.is(Kind::Bool)) return noOverload();
  return of(node.children[condition.boolean() ? 1 : 2]);
}

Value Evaluation::list(const Node& node) {
  Value::List elements;
  elements.reserve(node.children.size());
  for (const uint32_t child : node.children) {
    elements.push_back(valueOf(child));
    if (elements.back().isError()) return elements.back();
  }
  return afforded(Value(std::move(elements)));
}

Value Evaluation::map(const Node& node) {
  Value::Map entries;
  for (size_t i = 0; i < node.children.size(); i += 2) {
    Value key = valueOf(node.children[i]);
    if (key.isError()) return key;
    if (!mayBeKey(key)) return Value::error("a key of that type");
    if (lookUp(entries, key) != nullptr) return Value::error("a key twice");
    Value value = valueOf(node.children[i + 1]);
    if (value.isError()) return value;
    entries.emplace_back(std::move(key), std::move(value));
    work(i * sizeof(Value));  // The look-up walks along the map.
    if (steps_ > Expression::kMaxSteps) return spent();
  }
  return afforded(Value(std::move(entries)));
}

Value Evaluation::call(const Node& node) {
  std::vector<Value> arguments;
  for (const uint32_t child : node.children) {
    arguments.push_back(valueOf(child));
    if (arguments.back().isError()) return arguments.back();
    work(arguments.back().weight());
  }
  // A regular expression is compiled each time.
  if (node.function == Function::Matches) work(kRegexWork);
  if (steps_ > Expression::kMaxSteps) return spent();
  return afforded(cel::call(node.function, arguments));
}

}  // namespace weir::cel
