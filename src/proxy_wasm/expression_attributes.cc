#include "proxy_wasm/expression_attributes.h"

#include <algorithm>
#include <bit>

#include "base/wire.h"
#include "proxy_wasm/little_endian.h"
#include "proxy_wasm/pairs.h"
#include "proxy_wasm/root_context.h"

namespace weir::proxy_wasm {
namespace {

using base::WireField;
using cel::Value;
using Found = cel::Attributes::Found;

constexpr std::string_view kFamilies[] = {"request",  "response",     "connection",
                                          "upstream", "source",       "destination",
                                          "xds",      "filter_state", "upstream_filter_state"};
constexpr std::string_view kSingles[] = {"metadata", "connection_id", "plugin_name", "plugin_root_id", "plugin_vm_id"};

// google.protobuf.Value nests; deeper than this it is not followed.
constexpr int kMaxDepth = 32;

template <size_t N>
bool among(const std::string_view (&names)[N], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

Value fromValue(std::string_view value, int depth);

Value fromStruct(std::string_view message, int depth) {
  Value::Map entries;
  base::WireReader reader(message);
  while (const auto entry = reader.next()) {
    if (entry->number != 1 || entry->kind != WireField::Kind::Bytes) continue;
    const auto key = base::lastField(entry->bytes, 1, WireField::Kind::Bytes);
    const auto value = base::lastField(entry->bytes, 2, WireField::Kind::Bytes);
    entries.emplace_back(Value::string(std::string(key ? key->bytes : std::string_view())),
                         fromValue(value ? value->bytes : std::string_view(), depth + 1));
  }
  return Value(std::move(entries));
}

Value fromList(std::string_view message, int depth) {
  Value::List elements;
  base::WireReader reader(message);
  while (const auto entry = reader.next()) {
    if (entry->number == 1 && entry->kind == WireField::Kind::Bytes) {
      elements.push_back(fromValue(entry->bytes, depth + 1));
    }
  }
  return Value(std::move(elements));
}

Value fromValue(std::string_view value, int depth) {
  const auto field = base::chosenValue(value);
  if (!field || depth > kMaxDepth) return {};
  switch (field->number) {
    case base::kNumberValue: return Value(std::bit_cast<double>(field->value));
    case base::kStringValue: return Value::string(std::string(field->bytes));
    case base::kBoolValue: return Value(field->value != 0);
    case base::kStructValue: return fromStruct(field->bytes, depth);
    case base::kListValue: return fromList(field->bytes, depth);
    default: return {};
  }
}

Value fromPairs(std::string_view bytes) {
  const auto pairs = parsePairs(bytes);
  Value::Map entries;
  if (!pairs) return Value(std::move(entries));
  for (const auto& [name, value] : *pairs) {
    entries.emplace_back(Value::string(std::string(name)), Value::string(std::string(value)));
  }
  return Value(std::move(entries));
}

void appendNumber(uint64_t number, std::string& out) {
  char bytes[8];
  storeU64(bytes, number);
  out.append(bytes, sizeof(bytes));
}

AbiStatus listToProperty(const Value::List& list, std::string& out) {
  std::vector<std::string> elements(list.size());
  PairViews views;
  for (size_t i = 0; i < list.size(); ++i) {
    if (const AbiStatus status = toProperty(list[i], elements[i]); status != AbiStatus::Ok) return status;
    views.emplace_back(elements[i], std::string_view());
  }
  out = toPropertyPairs(views);
  return AbiStatus::Ok;
}

AbiStatus mapToProperty(const Value::Map& map, std::string& out) {
  std::vector<std::pair<std::string, std::string>> entries(map.size());
  PairViews views;
  for (size_t i = 0; i < map.size(); ++i) {
    for (const auto& [value, text] :
         {std::pair(&map[i].first, &entries[i].first), {&map[i].second, &entries[i].second}}) {
      if (const AbiStatus status = toProperty(*value, *text); status != AbiStatus::Ok) return status;
    }
    views.emplace_back(entries[i].first, entries[i].second);
  }
  out = toPropertyPairs(views);
  return AbiStatus::Ok;
}

}  // namespace

bool ExpressionAttributes::knows(std::string_view name) { return among(kFamilies, name) || among(kSingles, name); }

Found ExpressionAttributes::find(std::span<const std::string> names, Value& out) {
  const bool family = names.size() == 1 && among(kFamilies, names[0]);
  if (family) return context_.info() != nullptr ? Found::Family : Found::Absent;
  const std::vector<std::string_view> path(names.begin(), names.end());
  PropertyValue value;
  const AbiStatus status = readProperty(context_, path, value);
  if (status == AbiStatus::SerializationFailure) return Found::Family;
  if (status != AbiStatus::Ok) return Found::Absent;
  out = typed(value, names);
  return Found::Value;
}

Value ExpressionAttributes::typed(const PropertyValue& value, std::span<const std::string> names) const {
  using Type = PropertyType;
  const std::string_view bytes = value.bytes();
  const auto number = [&] { return loadU64(bytes.data()); };
  if (names[0] == "filter_state") return state(bytes, names[1]);
  switch (value.type()) {
    case Type::Text: return Value::string(std::string(bytes));
    case Type::Int: return Value(static_cast<int64_t>(number()));
    case Type::Uint: return Value(number());
    case Type::Double: return Value(std::bit_cast<double>(number()));
    case Type::Bool: return Value(bytes[0] != '\0');
    case Type::Time: return Value::timestamp(static_cast<int64_t>(number()));
    case Type::Duration: return Value::duration(static_cast<int64_t>(number()));
    case Type::Pairs: return fromPairs(bytes);
    case Type::Struct: return fromStruct(value.source(), 0);
    case Type::List: return fromList(value.source(), 0);
    case Type::Message: return Value::message(std::string(bytes));
  }
  return {};
}

// Bytes, unless the plugin has declared it as something else.
Value ExpressionAttributes::state(std::string_view bytes, std::string_view name) const {
  constexpr std::string_view kSet = "wasm.";
  RootContext* const root = context_.root();
  const DeclaredProperty* declared = nullptr;
  if (root != nullptr && name.starts_with(kSet)) declared = root->declared(name.substr(kSet.size()));
  const auto type = declared != nullptr ? declared->type : DeclaredProperty::Type::Bytes;
  switch (type) {
    case DeclaredProperty::Type::Text: return Value::string(std::string(bytes));
    case DeclaredProperty::Type::Message: return Value::message(std::string(bytes));
    case DeclaredProperty::Type::Bytes: break;
  }
  return Value::bytes(std::string(bytes));
}

AbiStatus toProperty(const Value& value, std::string& out) {
  switch (value.kind()) {
    case Value::Kind::Bool: out.push_back(value.boolean() ? '\1' : '\0'); return AbiStatus::Ok;
    case Value::Kind::Int:
    case Value::Kind::Duration:
    case Value::Kind::Timestamp: appendNumber(static_cast<uint64_t>(value.integer()), out); return AbiStatus::Ok;
    case Value::Kind::Uint: appendNumber(value.unsignedInteger(), out); return AbiStatus::Ok;
    case Value::Kind::Double: appendNumber(std::bit_cast<uint64_t>(value.real()), out); return AbiStatus::Ok;
    case Value::Kind::String:
    case Value::Kind::Bytes:
    case Value::Kind::Message: out = value.text(); return AbiStatus::Ok;
    case Value::Kind::List: return listToProperty(value.list(), out);
    case Value::Kind::Map: return mapToProperty(value.map(), out);
    default: return AbiStatus::SerializationFailure;
  }
}

}  // namespace weir::proxy_wasm
