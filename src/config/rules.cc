#include "config/rules.h"

#include <envoy/config/core/v3/base.pb.h>
#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <validate/validate.pb.h>

#include <algorithm>
#include <set>

#include "config/string_rules.h"
#include "oci/image_name.h"

namespace weir::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Ranges and sets, the same for every kind of number. As the generator has it, a range whose lower bound lies above its
// upper one means "outside of".
template <typename Rules, typename T>
void checkNumber(const Rules& rules, T value, const Place& place) {
  if (rules.ignore_empty() && value == T{}) return;
  if (rules.has_const_() && value != rules.const_()) breach(place, fmt::format("must be {}", rules.const_()));

  const bool has_low = rules.has_gt() || rules.has_gte();
  const bool has_high = rules.has_lt() || rules.has_lte();
  const T low = rules.has_gt() ? rules.gt() : rules.gte();
  const T high = rules.has_lt() ? rules.lt() : rules.lte();
  // Written so that NaN is outside of every range.
  const bool above = !has_low || (rules.has_gt() ? value > low : value >= low);
  const bool below = !has_high || (rules.has_lt() ? value < high : value <= high);
  const bool outside = has_low && has_high && low > high;
  if (outside ? !(above || below) : !(above && below)) {
    std::string bounds;
    if (has_low) bounds += fmt::format("{} {}", rules.has_gt() ? "greater than" : "at least", low);
    if (has_low && has_high) bounds += outside ? " or " : " and ";
    if (has_high) bounds += fmt::format("{} {}", rules.has_lt() ? "less than" : "at most", high);
    breach(place, fmt::format("must be {}, is {}", bounds, value));
  }
  const bool listed = std::find(rules.in().begin(), rules.in().end(), value) != rules.in().end();
  if (rules.in_size() > 0 && !listed)
    breach(place, fmt::format("must be one of {}, is {}", fmt::join(rules.in(), ", "), value));
  const bool barred = std::find(rules.not_in().begin(), rules.not_in().end(), value) != rules.not_in().end();
  if (barred) breach(place, fmt::format("must not be {}", value));
}

void checkEnum(const validate::EnumRules& rules, const FieldDescriptor& field, int value, const Place& place) {
  const google::protobuf::EnumValueDescriptor* known = field.enum_type()->FindValueByNumber(value);
  if (rules.defined_only() && known == nullptr) {
    breach(place, fmt::format("{} is no value of {}", value, field.enum_type()->full_name()));
  }
  const std::string shown = known == nullptr ? std::to_string(value) : known->name();
  if (rules.has_const_() && value != rules.const_()) breach(place, fmt::format("must not be {}", shown));
  const bool listed = std::find(rules.in().begin(), rules.in().end(), value) != rules.in().end();
  if (rules.in_size() > 0 && !listed) breach(place, fmt::format("must not be {}", shown));
  const bool barred = std::find(rules.not_in().begin(), rules.not_in().end(), value) != rules.not_in().end();
  if (barred) breach(place, fmt::format("must not be {}", shown));
}

double seconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + duration.nanos() / 1e9;
}

// Seconds as a double keep a nanosecond apart only for small values; bounds in the API are round and small.
void checkDuration(const validate::DurationRules& rules, const google::protobuf::Duration& value, const Place& place) {
  const double is = seconds(value);
  if (rules.has_gt() && !(is > seconds(rules.gt())))
    breach(place, fmt::format("must be greater than {}s", seconds(rules.gt())));
  if (rules.has_gte() && !(is >= seconds(rules.gte())))
    breach(place, fmt::format("must be at least {}s", seconds(rules.gte())));
  if (rules.has_lt() && !(is < seconds(rules.lt())))
    breach(place, fmt::format("must be less than {}s", seconds(rules.lt())));
  if (rules.has_lte() && !(is <= seconds(rules.lte())))
    breach(place, fmt::format("must be at most {}s", seconds(rules.lte())));
}

bool isWrapper(const FieldDescriptor& field) {
  return field.message_type() != nullptr && field.message_type()->file()->name() == "google/protobuf/wrappers.proto";
}

// One value: of a singular field, or with index >= 0 of a repeated one.
struct Value {
  const Message& message;
  const FieldDescriptor& field;
  int index = -1;

  const Reflection& reflection() const { return *message.GetReflection(); }
  const Message& inner() const {
    return index < 0 ? reflection().GetMessage(message, &field)
                     : reflection().GetRepeatedMessage(message, &field, index);
  }
#define WEIR_GETTER(type, Name)                                                \
  type as##Name() const {                                                      \
    return index < 0 ? reflection().Get##Name(message, &field)                 \
                     : reflection().GetRepeated##Name(message, &field, index); \
  }
  WEIR_GETTER(int32_t, Int32)
  WEIR_GETTER(int64_t, Int64)
  WEIR_GETTER(uint32_t, UInt32)
  WEIR_GETTER(uint64_t, UInt64)
  WEIR_GETTER(float, Float)
  WEIR_GETTER(double, Double)
  WEIR_GETTER(bool, Bool)
  WEIR_GETTER(int, EnumValue)
  WEIR_GETTER(std::string, String)
#undef WEIR_GETTER
};

void checkValue(const validate::FieldRules& rules, const Value& value, const Place& place) {
  // Rules for a wrapper's content are written on the field that holds the wrapper.
  if (isWrapper(value.field)) {
    const Message& wrapper = value.inner();
    return checkValue(rules, Value{wrapper, *wrapper.GetDescriptor()->FindFieldByName("value")}, place);
  }
  switch (rules.type_case()) {
    case validate::FieldRules::kFloat: return checkNumber(rules.float_(), value.asFloat(), place);
    case validate::FieldRules::kDouble: return checkNumber(rules.double_(), value.asDouble(), place);
    case validate::FieldRules::kInt32: return checkNumber(rules.int32(), value.asInt32(), place);
    case validate::FieldRules::kInt64: return checkNumber(rules.int64(), value.asInt64(), place);
    case validate::FieldRules::kUint32: return checkNumber(rules.uint32(), value.asUInt32(), place);
    case validate::FieldRules::kUint64: return checkNumber(rules.uint64(), value.asUInt64(), place);
    case validate::FieldRules::kBool:
      if (rules.bool_().has_const_() && value.asBool() != rules.bool_().const_()) {
        breach(place, fmt::format("must be {}", rules.bool_().const_()));
      }
      return;
    case validate::FieldRules::kString: return checkString(rules.string(), value.asString(), place);
    case validate::FieldRules::kBytes: return checkBytes(rules.bytes(), value.asString(), place);
    case validate::FieldRules::kEnum: return checkEnum(rules.enum_(), value.field, value.asEnumValue(), place);
    case validate::FieldRules::kDuration: {
      const auto* duration = dynamic_cast<const google::protobuf::Duration*>(&value.inner());
      if (duration != nullptr) checkDuration(rules.duration(), *duration, place);
      return;
    }
    default:  // Required is checked where presence is known; other kinds of rules occur nowhere in Envoy's API.
      return;
  }
}

bool requiresPresence(const validate::FieldRules& rules) {
  return rules.message().required() || rules.any().required() || rules.duration().required() ||
         rules.timestamp().required();
}

void checkList(const validate::FieldRules& rules, const Message& message, const FieldDescriptor& field,
               const Place& place) {
  const validate::RepeatedRules& list = rules.repeated();
  const int size = message.GetReflection()->FieldSize(message, &field);
  if (list.ignore_empty() && size == 0) return;
  if (static_cast<uint64_t>(size) < list.min_items()) {
    breach(place, list.min_items() == 1 ? "is required and must not be empty"
                                        : fmt::format("must have at least {} items", list.min_items()));
  }
  if (list.has_max_items() && static_cast<uint64_t>(size) > list.max_items()) {
    breach(place, fmt::format("must have at most {} items, has {}", list.max_items(), size));
  }
  std::set<std::string> strings;
  for (int i = 0; i < size; i++) {
    const Value value{message, field, i};
    if (list.has_items()) checkValue(list.items(), value, place.item(static_cast<size_t>(i)));
    const bool text = field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    if (list.unique() && text && !strings.insert(value.asString()).second) {
      breach(place.item(static_cast<size_t>(i)), "stands in the list already");
    }
  }
}

void checkMap(const validate::FieldRules& rules, const Message& message, const FieldDescriptor& field,
              const Place& place) {
  const validate::MapRules& map = rules.map();
  const int size = message.GetReflection()->FieldSize(message, &field);
  if (static_cast<uint64_t>(size) < map.min_pairs())
    breach(place, fmt::format("must have at least {} entries", map.min_pairs()));
  for (int i = 0; i < size; i++) {
    const Message& entry = message.GetReflection()->GetRepeatedMessage(message, &field, i);
    const FieldDescriptor& key = *field.message_type()->map_key();
    const FieldDescriptor& value = *field.message_type()->map_value();
    const Place here = key.cpp_type() == FieldDescriptor::CPPTYPE_STRING
                           ? place.key(entry.GetReflection()->GetString(entry, &key))
                           : place;
    if (map.has_keys()) checkValue(map.keys(), Value{entry, key}, here);
    if (map.has_values()) checkValue(map.values(), Value{entry, value}, here);
  }
}

void checkField(const Message& message, const FieldDescriptor& field, const Place& place) {
  const validate::FieldRules& rules = field.options().GetExtension(validate::rules);
  if (field.is_map()) return checkMap(rules, message, field, place);
  if (field.is_repeated()) return checkList(rules, message, field, place);
  if (field.has_presence() && !message.GetReflection()->HasField(message, &field)) {
    // A oneof's members are absent together; the choice has its own rule.
    const bool chosen = field.real_containing_oneof() == nullptr;
    if (chosen && requiresPresence(rules)) breach(place, "is required");
    return;
  }
  checkValue(rules, Value{message, field}, place);
}

// Beyond Envoy: an image (oci://) says by its name, and if it likes by its digest, what it is.
bool isLifted(const Message& message, const FieldDescriptor& field) {
  if (field.full_name() != "envoy.config.core.v3.RemoteDataSource.sha256") return false;
  return oci::isImageUri(static_cast<const envoy::config::core::v3::RemoteDataSource&>(message).http_uri().uri());
}

}  // namespace

void checkRules(const Message& message, const Place& place) {
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  if (type.options().GetExtension(validate::disabled)) return;
  for (int i = 0; i < type.real_oneof_decl_count(); i++) {
    const google::protobuf::OneofDescriptor& choice = *type.oneof_decl(i);
    if (!choice.options().GetExtension(validate::required)) continue;
    if (message.GetReflection()->HasOneof(message, &choice)) continue;
    std::vector<std::string> names;
    for (int j = 0; j < choice.field_count(); j++) names.push_back(choice.field(j)->name());
    breach(place, fmt::format("one of {} is required", fmt::join(names, ", ")));
  }
  for (int i = 0; i < type.field_count(); i++) {
    const FieldDescriptor& field = *type.field(i);
    if (field.options().HasExtension(validate::rules) && !isLifted(message, field))
      checkField(message, field, place.field(field.name()));
  }
}

}  // namespace weir::config
