// Arithmetic and comparison. CEL: what overflows is an error, and types are never mixed in arithmetic.
#include "cel/evaluation.h"

namespace weir::cel {
namespace {

using Kind = Value::Kind;
using Operation = Node::Operation;

Value noOverload() { return Value::error("no matching overload"); }
Value overflow() { return Value::error("integer overflow"); }

template <typename Number>
Value integers(Operation operation, Number left, Number right) {
  Number out{};
  bool failed = false;
  switch (operation) {
    case Operation::Add: failed = __builtin_add_overflow(left, right, &out); break;
    case Operation::Subtract: failed = __builtin_sub_overflow(left, right, &out); break;
    case Operation::Multiply: failed = __builtin_mul_overflow(left, right, &out); break;
    case Operation::Divide:
    case Operation::Modulo: {
      if (right == 0) return Value::error("division by zero");
      if (std::is_signed_v<Number> && right == static_cast<Number>(-1)) {
        if (operation == Operation::Modulo) return Value(Number{0});
        failed = __builtin_sub_overflow(Number{0}, left, &out);
        break;
      }
      out = operation == Operation::Divide ? left / right : left % right;
      break;
    }
    default: return noOverload();
  }
  return failed ? overflow() : Value(out);
}

Value doubles(Operation operation, double left, double right) {
  switch (operation) {
    case Operation::Add: return Value(left + right);
    case Operation::Subtract: return Value(left - right);
    case Operation::Multiply: return Value(left * right);
    case Operation::Divide: return Value(left / right);
    default: return noOverload();
  }
}

Value added(const Value& left, const Value& right) {
  if (left.is(Kind::String)) return Value::string(left.text() + right.text());
  if (left.is(Kind::Bytes)) return Value::bytes(left.text() + right.text());
  if (!left.is(Kind::List)) return noOverload();
  Value::List both = left.list();
  both.insert(both.end(), right.list().begin(), right.list().end());
  return Value(std::move(both));
}

// Of times and durations: the sum or difference, and of which kind it is.
Value times(Operation operation, const Value& left, const Value& right) {
  const bool adds = operation == Operation::Add;
  const bool left_time = left.is(Kind::Timestamp);
  const bool right_time = right.is(Kind::Timestamp);
  if (!adds && operation != Operation::Subtract) return noOverload();
  if (adds ? left_time && right_time : !left_time && right_time) return noOverload();
  int64_t out = 0;
  const bool failed = adds ? __builtin_add_overflow(left.integer(), right.integer(), &out)
                           : __builtin_sub_overflow(left.integer(), right.integer(), &out);
  if (failed) return overflow();
  return left_time != right_time ? Value::timestamp(out) : Value::duration(out);
}

bool isTime(const Value& value) { return value.is(Kind::Timestamp) || value.is(Kind::Duration); }

Value arithmetic(Operation operation, const Value& left, const Value& right) {
  if (isTime(left) && isTime(right)) return times(operation, left, right);
  if (left.kind() != right.kind()) return noOverload();
  switch (left.kind()) {
    case Kind::Int: return integers(operation, left.integer(), right.integer());
    case Kind::Uint: return integers(operation, left.unsignedInteger(), right.unsignedInteger());
    case Kind::Double: return doubles(operation, left.real(), right.real());
    default: return operation == Operation::Add ? added(left, right) : noOverload();
  }
}

Value relation(Operation operation, const Value& left, const Value& right) {
  const bool comparable = (left.isNumber() && right.isNumber()) || left.kind() == right.kind();
  const bool ordered = left.isNumber() || left.is(Kind::Bool) || left.is(Kind::String) || left.is(Kind::Bytes) ||
                       left.is(Kind::Duration) || left.is(Kind::Timestamp);
  if (!comparable || !ordered) return noOverload();
  const Order order = compare(left, right);
  switch (operation) {
    case Operation::Less: return Value(order == Order::Less);
    case Operation::LessEqual: return Value(order == Order::Less || order == Order::Equal);
    case Operation::Greater: return Value(order == Order::Greater);
    default: return Value(order == Order::Greater || order == Order::Equal);
  }
}

}  // namespace

Value operate(Operation operation, const Value& left, const Value& right) {
  switch (operation) {
    case Operation::Equal: return Value(equal(left, right));
    case Operation::NotEqual: return Value(!equal(left, right));
    case Operation::Less:
    case Operation::LessEqual:
    case Operation::Greater:
    case Operation::GreaterEqual: return relation(operation, left, right);
    default: return arithmetic(operation, left, right);
  }
}

}  // namespace weir::cel
