// What an expression computes with: CEL's types, as far as they are needed for attributes of requests.
//
// Values are cheap to copy: texts, lists and maps are shared and never change. An error is a value too, because && and
// || look at it; everything else hands it on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weir::cel {

class Value {
 public:
  using List = std::vector<Value>;
  using Map = std::vector<std::pair<Value, Value>>;  // In the order of writing; keys are unique.
  enum class Kind : uint8_t {
    Error,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Duration,
    Timestamp,
    List,
    Map,
    Type,
    Message,  // Serialized protobuf, into which no expression looks.
    Path,     // Of an attribute that nobody has asked the value of yet.
  };

  Value() = default;  // Null.
  explicit Value(bool value) : kind_(Kind::Bool), data_(value) {}
  explicit Value(int64_t value) : kind_(Kind::Int), data_(value) {}
  explicit Value(uint64_t value) : kind_(Kind::Uint), data_(value) {}
  explicit Value(double value) : kind_(Kind::Double), data_(value) {}
  explicit Value(List list);
  explicit Value(Map map);
  explicit Value(const char*) = delete;
  static Value error(std::string why) { return {Kind::Error, std::move(why)}; }
  static Value string(std::string text) { return {Kind::String, std::move(text)}; }
  static Value bytes(std::string bytes) { return {Kind::Bytes, std::move(bytes)}; }
  static Value message(std::string serialized) { return {Kind::Message, std::move(serialized)}; }
  static Value type(std::string name) { return {Kind::Type, std::move(name)}; }
  static Value duration(int64_t nanoseconds) { return {Kind::Duration, nanoseconds}; }
  static Value timestamp(int64_t nanoseconds) { return {Kind::Timestamp, nanoseconds}; }
  // Names, the first of which is an attribute's.
  static Value path(std::vector<std::string> names) {
    Value value;
    value.kind_ = Kind::Path;
    value.data_ = std::make_shared<const std::vector<std::string>>(std::move(names));
    return value;
  }

  Kind kind() const { return kind_; }
  // The bytes of its text, or of its elements and all that they hold, however often it is the same.
  size_t weight() const { return weight_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool isError() const { return kind_ == Kind::Error; }
  bool isNumber() const { return kind_ == Kind::Int || kind_ == Kind::Uint || kind_ == Kind::Double; }

  // Each for its own kinds only.
  bool boolean() const { return std::get<bool>(data_); }
  int64_t integer() const { return std::get<int64_t>(data_); }  // Int; nanoseconds of Duration and Timestamp.
  uint64_t unsignedInteger() const { return std::get<uint64_t>(data_); }
  double real() const { return std::get<double>(data_); }
  const std::string& text() const { return *std::get<Text>(data_); }  // String, Bytes, Message, Type, Error.
  const List& list() const { return *std::get<std::shared_ptr<const List>>(data_); }
  const Map& map() const { return *std::get<std::shared_ptr<const Map>>(data_); }
  const std::vector<std::string>& names() const {
    return *std::get<std::shared_ptr<const std::vector<std::string>>>(data_);
  }

 private:
  using Text = std::shared_ptr<const std::string>;
  Value(Kind kind, std::string text)
      : kind_(kind), weight_(text.size()), data_(std::make_shared<const std::string>(std::move(text))) {}
  Value(Kind kind, int64_t number) : kind_(kind), data_(number) {}

  Kind kind_ = Kind::Null;
  size_t weight_ = 0;
  std::variant<std::monostate, bool, int64_t, uint64_t, double, Text, std::shared_ptr<const List>,
               std::shared_ptr<const Map>, std::shared_ptr<const std::vector<std::string>>>
      data_;
};

// CEL's type of a value, as type() names it.
std::string_view typeName(Value::Kind kind);

// Numbers of different types are equal when they stand for the same number; other types are never equal. No errors, no
// paths.
bool equal(const Value& left, const Value& right);

// Less, equal or greater; Unordered where there is no order between them (different types, NaN, lists).
enum class Order : uint8_t { Less, Equal, Greater, Unordered };
Order compare(const Value& left, const Value& right);

// The value of a key; null if there is none.
const Value* lookUp(const Value::Map& map, const Value& key);

}  // namespace weir::cel
