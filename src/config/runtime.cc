#include "config/runtime.h"

#include <envoy/config/accesslog/v3/accesslog.pb.h>
#include <envoy/config/core/v3/base.pb.h>
#include <envoy/config/route/v3/route_components.pb.h>
#include <fmt/format.h>
#include <google/protobuf/any.pb.h>

#include <charconv>
#include <cmath>
#include <memory>
#include <set>

namespace weir::config {
namespace {

namespace core = envoy::config::core::v3;
using envoy::config::route::v3::WeightedCluster;
using envoy::type::v3::FractionalPercent;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Value;

std::optional<double> numberIn(const Value& value) {
  if (value.kind_case() == Value::kNumberValue) return value.number_value();
  if (value.kind_case() != Value::kStringValue) return std::nullopt;
  const std::string& text = value.string_value();
  double out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

// As Envoy: no negative and no broken number counts as one.
std::optional<uint64_t> wholeNumberIn(const Value& value) {
  const auto number = numberIn(value);
  if (!number || *number < 0 || *number != std::floor(*number) || *number > 1e15) return std::nullopt;
  return static_cast<uint64_t>(*number);
}

std::optional<bool> switchIn(const Value& value) {
  if (value.kind_case() == Value::kBoolValue) return value.bool_value();
  if (value.kind_case() != Value::kStringValue) return std::nullopt;
  if (value.string_value() == "true") return true;
  if (value.string_value() == "false") return false;
  return std::nullopt;
}

// {numerator: 5, denominator: TEN_THOUSAND}, or a number: of a hundred.
std::optional<FractionalPercent> fractionIn(const Value& value) {
  FractionalPercent out;
  if (const auto number = wholeNumberIn(value)) {
    out.set_numerator(static_cast<uint32_t>(std::min<uint64_t>(*number, 100)));
    return out;
  }
  if (value.kind_case() != Value::kStructValue) return std::nullopt;
  const auto& fields = value.struct_value().fields();
  if (const auto at = fields.find("numerator"); at != fields.end()) {
    out.set_numerator(static_cast<uint32_t>(wholeNumberIn(at->second).value_or(0)));
  }
  if (const auto at = fields.find("denominator"); at != fields.end()) {
    FractionalPercent::DenominatorType type{};
    if (FractionalPercent::DenominatorType_Parse(at->second.string_value(), &type)) out.set_denominator(type);
  }
  return out;
}

// As Envoy: a mapping with one of these is a fraction, and any other is a part of the keys below it.
bool isFraction(const google::protobuf::Struct& mapping) {
  return mapping.fields().contains("numerator") || mapping.fields().contains("denominator");
}

std::string shown(const Value& value) {
  switch (value.kind_case()) {
    case Value::kStringValue: return value.string_value();
    case Value::kNumberValue: return fmt::format("{}", value.number_value());
    case Value::kBoolValue: return value.bool_value() ? "true" : "false";
    default: return value.ShortDebugString();
  }
}

// What a key of one kind says, if it says anything.
template <typename Read>
auto said(const Runtime& runtime, const std::string& key, Read read) -> decltype(read(Value())) {
  const Value* const value = runtime.find(key);
  if (value == nullptr) return std::nullopt;
  return read(*value);
}

void put(const Runtime& runtime, core::RuntimeUInt32& out) {
  const auto given = said(runtime, out.runtime_key(), wholeNumberIn);
  if (given) out.set_default_value(static_cast<uint32_t>(*given));
}

void put(const Runtime& runtime, core::RuntimeDouble& out) {
  if (const auto given = said(runtime, out.runtime_key(), numberIn)) out.set_default_value(*given);
}

void put(const Runtime& runtime, core::RuntimePercent& out) {
  if (const auto given = said(runtime, out.runtime_key(), numberIn)) out.mutable_default_value()->set_value(*given);
}

void put(const Runtime& runtime, core::RuntimeFeatureFlag& out) {
  if (const auto given = said(runtime, out.runtime_key(), switchIn)) out.mutable_default_value()->set_value(*given);
}

void put(const Runtime& runtime, core::RuntimeFractionalPercent& out) {
  if (const auto given = said(runtime, out.runtime_key(), fractionIn)) *out.mutable_default_value() = *given;
}

// Its key counts parts of the denominator that the filter has.
void put(const Runtime& runtime, envoy::config::accesslog::v3::RuntimeFilter& out) {
  const auto given = said(runtime, out.runtime_key(), wholeNumberIn);
  if (given) out.mutable_percent_sampled()->set_numerator(static_cast<uint32_t>(*given));
}

void put(const Runtime& runtime, WeightedCluster& out) {
  if (out.runtime_key_prefix().empty()) return;
  for (auto& cluster : *out.mutable_clusters()) {
    const auto given = said(runtime, out.runtime_key_prefix() + "." + cluster.name(), wholeNumberIn);
    if (given) cluster.mutable_weight()->set_value(static_cast<uint32_t>(*given));
  }
}

template <typename... Types>
void putIfOneOf(const Runtime& runtime, Message& message) {
  const auto attempt = [&](auto* typed) {
    if (typed != nullptr) put(runtime, *typed);
    return typed != nullptr;
  };
  (void)(attempt(dynamic_cast<Types*>(&message)) || ...);
}

void applyTo(const Runtime& runtime, Message& message);

void applyInAny(const Runtime& runtime, google::protobuf::Any& any) {
  const std::string& url = any.type_url();
  const std::string name = url.substr(url.rfind('/') + 1);
  const auto* const type = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(name);
  if (type == nullptr) return;
  const std::unique_ptr<Message> inner(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  if (!inner->ParseFromString(any.value())) return;
  applyTo(runtime, *inner);
  any.PackFrom(*inner);
}

void applyBelow(const Runtime& runtime, Message& message) {
  std::vector<const FieldDescriptor*> set;
  const auto& reflection = *message.GetReflection();
  reflection.ListFields(message, &set);
  for (const FieldDescriptor* field : set) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      applyTo(runtime, *reflection.MutableMessage(&message, field));
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      applyTo(runtime, *reflection.MutableRepeatedMessage(&message, field, i));
    }
  }
}

void applyTo(const Runtime& runtime, Message& message) {
  if (auto* const any = dynamic_cast<google::protobuf::Any*>(&message)) return applyInAny(runtime, *any);
  if (message.GetDescriptor()->full_name().starts_with("google.protobuf.")) return;
  putIfOneOf<core::RuntimeUInt32, core::RuntimeDouble, core::RuntimePercent, core::RuntimeFeatureFlag,
             core::RuntimeFractionalPercent, envoy::config::accesslog::v3::RuntimeFilter, WeightedCluster>(runtime,
                                                                                                           message);
  applyBelow(runtime, message);
}

}  // namespace

Runtime Runtime::read(const envoy::config::bootstrap::v3::LayeredRuntime& layers, const Place& place) {
  Runtime out;
  std::set<std::string> names;
  int admin_layers = 0;
  for (int i = 0; i < layers.layers_size(); ++i) {
    const auto& layer = layers.layers(i);
    const Place here = place.item("layers", static_cast<size_t>(i));
    if (!names.insert(layer.name()).second) {
      here.field("name").fault(FaultKind::Conflict, fmt::format("Duplicate layer name: {}", layer.name()));
    }
    if (layer.has_admin_layer() && ++admin_layers > 1) {
      here.field("admin_layer")
          .fault(FaultKind::Conflict,
                 "Too many admin layers specified in LayeredRuntime, at most one may be specified");
    }
    out.dump_.layers.push_back(layer.name());
    const Place fixed = here.field("static_layer");
    for (const auto& [key, value] : layer.static_layer().fields()) out.add(key, value, fixed);
  }
  for (auto& [key, values] : out.dump_.values) values.resize(out.dump_.layers.size());
  return out;
}

void Runtime::add(const std::string& key, const Value& value, const Place& place) {
  const Place here = place.key(key);
  switch (value.kind_case()) {
    case Value::kStructValue:
      if (isFraction(value.struct_value())) break;
      for (const auto& [name, inner] : value.struct_value().fields()) add(key + "." + name, inner, place);
      return;
    case Value::kStringValue:
    case Value::kNumberValue:
    case Value::kBoolValue: break;
    default:
      return here.fault(FaultKind::Type, fmt::format("Invalid runtime entry value for {}: expected a number, a text, "
                                                     "true, false, or a fraction",
                                                     key));
  }
  entries_.insert_or_assign(key, Entry{value, here});
  auto& values = dump_.values[key];
  values.resize(dump_.layers.size());
  values.back() = shown(value);
}

const Value* Runtime::find(const std::string& key) const {
  const auto at = entries_.find(key);
  if (at == entries_.end()) return nullptr;
  at->second.used = true;
  return &at->second.value;
}

std::optional<uint64_t> Runtime::wholeNumber(const std::string& key) const {
  const Value* const value = find(key);
  return value == nullptr ? std::nullopt : wholeNumberIn(*value);
}

void Runtime::noteUnused() const {
  for (const auto& [key, entry] : entries_) {
    if (!entry.used) entry.place.notice("accepted, without effect: nothing in this configuration reads this key");
  }
}

void Runtime::apply(Message& message) const {
  if (!entries_.empty()) applyTo(*this, message);
}

}  // namespace weir::config
