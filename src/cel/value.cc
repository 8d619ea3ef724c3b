#include "cel/value.h"

#include <algorithm>
#include <cmath>
#include <compare>

namespace weir::cel {
namespace {

using Kind = Value::Kind;

Order ordered(std::partial_ordering order) {
  if (order == std::partial_ordering::less) return Order::Less;
  if (order == std::partial_ordering::greater) return Order::Greater;
  return order == std::partial_ordering::equivalent ? Order::Equal : Order::Unordered;
}

constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr double kTwoTo64 = 18446744073709551616.0;

// Exact, also where a double has fewer digits than the integer.
Order compareInt(int64_t left, double right) {
  if (std::isnan(right)) return Order::Unordered;
  if (right >= kTwoTo63) return Order::Less;
  if (right < -kTwoTo63) return Order::Greater;
  const double whole = std::floor(right);
  const auto order = left <=> static_cast<int64_t>(whole);
  if (order != 0) return ordered(order);
  return right > whole ? Order::Less : Order::Equal;
}

Order compareUint(uint64_t left, double right) {
  if (std::isnan(right)) return Order::Unordered;
  if (right >= kTwoTo64) return Order::Less;
  if (right < 0) return Order::Greater;
  const double whole = std::floor(right);
  const auto order = left <=> static_cast<uint64_t>(whole);
  if (order != 0) return ordered(order);
  return right > whole ? Order::Less : Order::Equal;
}

Order compareInt(int64_t left, uint64_t right) {
  return left < 0 ? Order::Less : ordered(static_cast<uint64_t>(left) <=> right);
}

Order reversed(Order order) {
  if (order == Order::Less) return Order::Greater;
  return order == Order::Greater ? Order::Less : order;
}

Order compareNumbers(const Value& left, const Value& right) {
  if (left.is(Kind::Int)) {
    if (right.is(Kind::Int)) return ordered(left.integer() <=> right.integer());
    return right.is(Kind::Uint) ? compareInt(left.integer(), right.unsignedInteger())
                                : compareInt(left.integer(), right.real());
  }
  if (left.is(Kind::Uint)) {
    if (right.is(Kind::Uint)) return ordered(left.unsignedInteger() <=> right.unsignedInteger());
    return right.is(Kind::Int) ? reversed(compareInt(right.integer(), left.unsignedInteger()))
                               : compareUint(left.unsignedInteger(), right.real());
  }
  if (right.is(Kind::Double)) return ordered(left.real() <=> right.real());
  return right.is(Kind::Int) ? reversed(compareInt(right.integer(), left.real()))
                             : reversed(compareUint(right.unsignedInteger(), left.real()));
}

bool equalMaps(const Value::Map& left, const Value::Map& right) {
  if (left.size() != right.size()) return false;
  return std::all_of(left.begin(), left.end(), [&](const auto& entry) {
    const Value* const other = lookUp(right, entry.first);
    return other != nullptr && equal(entry.second, *other);
  });
}

}  // namespace

Value::Value(List list) : kind_(Kind::List) {
  for (const Value& element : list) weight_ += sizeof(Value) + element.weight_;
  data_ = std::make_shared<const List>(std::move(list));
}

Value::Value(Map map) : kind_(Kind::Map) {
  for (const auto& [key, value] : map) weight_ += 2 * sizeof(Value) + key.weight_ + value.weight_;
  data_ = std::make_shared<const Map>(std::move(map));
}

std::string_view typeName(Kind kind) {
  switch (kind) {
    case Kind::Null: return "null_type";
    case Kind::Bool: return "bool";
    case Kind::Int: return "int";
    case Kind::Uint: return "uint";
    case Kind::Double: return "double";
    case Kind::String: return "string";
    case Kind::Bytes: return "bytes";
    case Kind::Duration: return "google.protobuf.Duration";
    case Kind::Timestamp: return "google.protobuf.Timestamp";
    case Kind::List: return "list";
    case Kind::Map: return "map";
    case Kind::Type: return "type";
    default: return "";
  }
}

bool equal(const Value& left, const Value& right) {
  if (left.isNumber() && right.isNumber()) return compareNumbers(left, right) == Order::Equal;
  if (left.kind() != right.kind()) return false;
  switch (left.kind()) {
    case Kind::Null: return true;
    case Kind::Bool: return left.boolean() == right.boolean();
    case Kind::Duration:
    case Kind::Timestamp: return left.integer() == right.integer();
    case Kind::List:
      return std::equal(left.list().begin(), left.list().end(), right.list().begin(), right.list().end(), equal);
    case Kind::Map: return equalMaps(left.map(), right.map());
    default: return left.text() == right.text();
  }
}

Order compare(const Value& left, const Value& right) {
  if (left.isNumber() && right.isNumber()) return compareNumbers(left, right);
  if (left.kind() != right.kind()) return Order::Unordered;
  switch (left.kind()) {
    case Kind::Bool: return ordered(left.boolean() <=> right.boolean());
    case Kind::String:
    case Kind::Bytes: return ordered(left.text() <=> right.text());
    case Kind::Duration:
    case Kind::Timestamp: return ordered(left.integer() <=> right.integer());
    default: return Order::Unordered;
  }
}

const Value* lookUp(const Value::Map& map, const Value& key) {
  const auto found = std::find_if(map.begin(), map.end(), [&](const auto& entry) { return equal(entry.first, key); });
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace weir::cel
