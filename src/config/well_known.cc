// The messages of google.protobuf that have a form of their own in JSON, and Any.
#include <fmt/format.h>
#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/time_util.h>

#include <cstdlib>

#include "config/legacy.h"
#include "config/message_reader.h"
#include "config/names.h"
#include "config/scalar.h"
#include "config/support.h"

namespace weir::config {
namespace {

using google::protobuf::Message;

constexpr std::string_view kPackage = "google.protobuf.";

void readValue(const Node& node, google::protobuf::Value& value);

void readStruct(const Node& node, google::protobuf::Struct& out) {
  for (const Node::Member& member : node.members) readValue(member.value, (*out.mutable_fields())[member.key]);
}

void readValue(const Node& node, google::protobuf::Value& value) {
  switch (node.kind) {
    case Node::Kind::Null: value.set_null_value(google::protobuf::NULL_VALUE); return;
    case Node::Kind::Bool: value.set_bool_value(node.text == "true"); return;
    case Node::Kind::Number: value.set_number_value(std::strtod(node.text.c_str(), nullptr)); return;
    case Node::Kind::String: value.set_string_value(node.text); return;
    case Node::Kind::List:
      value.mutable_list_value();
      for (const Node& item : node.items) readValue(item, *value.mutable_list_value()->add_values());
      return;
    case Node::Kind::Map:
      value.clear_struct_value();
      readStruct(node, *value.mutable_struct_value());
      return;
  }
}

void wrongForm(const Place& place, std::string_view expected, const Node& node) {
  const std::string got = node.isScalar() && node.kind != Node::Kind::Null
                              ? fmt::format("'{}'", node.text.substr(0, 60))
                              : std::string(name(node.kind));
  place.fault(FaultKind::Type, fmt::format("expected {}, got {}", expected, got));
}

void readDuration(const Node& node, google::protobuf::Duration& out, const Place& place) {
  const std::optional<SecondsAndNanos> value =
      node.kind == Node::Kind::String ? parseDuration(node.text) : std::nullopt;
  if (!value) return wrongForm(place, "a duration in seconds such as \"0.25s\"", node);
  out.set_seconds(value->seconds);
  out.set_nanos(value->nanos);
}

void readTimestamp(const Node& node, google::protobuf::Timestamp& out, const Place& place) {
  const bool fits = node.kind == Node::Kind::String && google::protobuf::util::TimeUtil::FromString(node.text, &out);
  if (!fits) wrongForm(place, "a time such as \"2026-01-31T12:00:00Z\"", node);
}

void readFieldMask(const Node& node, google::protobuf::FieldMask& out, const Place& place) {
  if (node.kind != Node::Kind::String) return wrongForm(place, "field names separated by commas", node);
  std::string_view rest = node.text;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    if (!one.empty()) out.add_paths(std::string(one));
  }
}

Node valueNode(const google::protobuf::Value& value, Position position);

Node structNode(const google::protobuf::Struct& fields, Position position) {
  Node node;
  node.kind = Node::Kind::Map;
  node.position = position;
  for (const auto& [key, value] : fields.fields()) node.members.push_back({key, position, valueNode(value, position)});
  return node;
}

Node valueNode(const google::protobuf::Value& value, Position position) {
  Node node;
  node.position = position;
  switch (value.kind_case()) {
    case google::protobuf::Value::kBoolValue:
      node.kind = Node::Kind::Bool;
      node.text = value.bool_value() ? "true" : "false";
      break;
    case google::protobuf::Value::kNumberValue:
      node.kind = Node::Kind::Number;
      node.text = fmt::format("{}", value.number_value());
      break;
    case google::protobuf::Value::kStringValue:
      node.kind = Node::Kind::String;
      node.text = value.string_value();
      break;
    case google::protobuf::Value::kStructValue: return structNode(value.struct_value(), position);
    case google::protobuf::Value::kListValue:
      node.kind = Node::Kind::List;
      for (const auto& item : value.list_value().values()) node.items.push_back(valueNode(item, position));
      break;
    default: break;
  }
  return node;
}

bool isWrapper(const google::protobuf::Descriptor& type) {
  return type.file()->name() == "google/protobuf/wrappers.proto";
}

void unknownType(const std::string& name, const Place& place) {
  std::vector<std::string> known;
  for (const SupportSection& section : supportSections()) {
    for (const MessageSupport& table : *section.tables) {
      if (table.message.starts_with("envoy.extensions.")) known.emplace_back(table.message);
    }
  }
  const std::string guess = didYouMean(name, known);
  if (name.starts_with("envoy.") && guess.empty()) {
    place.fault(FaultKind::Unsupported, fmt::format("the type {} is not implemented in weir", name));
  } else {
    place.fault(FaultKind::Unknown, fmt::format("unknown type '{}'{}", name, guess));
  }
}

// Has a form of its own in JSON, so that in an Any it stands in "value".
bool hasOwnForm(const google::protobuf::Descriptor& type) {
  const std::string& name = type.full_name();
  if (!name.starts_with(kPackage)) return false;
  return isWrapper(type) || name == "google.protobuf.Duration" || name == "google.protobuf.Timestamp" ||
         name == "google.protobuf.Struct" || name == "google.protobuf.Value" || name == "google.protobuf.ListValue" ||
         name == "google.protobuf.FieldMask" || name == "google.protobuf.Any";
}

const Node* typeUrl(const Node& node) {
  const Node* url = node.find("type_url");
  return url != nullptr ? url : node.find("typeUrl");
}

}  // namespace

void MessageReader::readWrapper(const Node& node, Message& message, const Place& place) {
  // {value: x} is accepted for x, as Envoy does.
  const Node* inner = node.kind == Node::Kind::Map ? node.find("value") : &node;
  if (inner == nullptr || node.members.size() > 1) return wrongForm(place, "a single value", node);
  const google::protobuf::FieldDescriptor& field = *message.GetDescriptor()->FindFieldByName("value");
  message.Clear();  // A wrapper that is set replaces: the zero inside is a value here.
  readScalar(*inner, message, field, place);
}

bool MessageReader::readWellKnown(const Node& node, Message& message, const Place& place) {
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  if (!type.full_name().starts_with(kPackage)) return false;
  if (isWrapper(type)) return readWrapper(node, message, place), true;

  if (auto* any = dynamic_cast<google::protobuf::Any*>(&message)) return readAny(node, *any, place), true;
  if (auto* value = dynamic_cast<google::protobuf::Value*>(&message)) return readValue(node, *value), true;
  if (auto* duration = dynamic_cast<google::protobuf::Duration*>(&message)) {
    if (node.kind == Node::Kind::Map) return false;  // {seconds: 1, nanos: 5}
    duration->Clear();
    return readDuration(node, *duration, place), true;
  }
  if (auto* timestamp = dynamic_cast<google::protobuf::Timestamp*>(&message)) {
    if (node.kind == Node::Kind::Map) return false;
    return readTimestamp(node, *timestamp, place), true;
  }
  if (auto* mask = dynamic_cast<google::protobuf::FieldMask*>(&message)) return readFieldMask(node, *mask, place), true;
  if (auto* fields = dynamic_cast<google::protobuf::Struct*>(&message)) {
    if (node.kind != Node::Kind::Map) return wrongForm(place, "a mapping", node), true;
    return readStruct(node, *fields), true;
  }
  if (auto* list = dynamic_cast<google::protobuf::ListValue*>(&message)) {
    if (node.kind != Node::Kind::List) return wrongForm(place, "a list", node), true;
    for (const Node& item : node.items) readValue(item, *list->add_values());
    return true;
  }
  return false;
}

void MessageReader::readAny(const Node& node, google::protobuf::Any& any, const Place& place) {
  report_.place(place.path(), node.position);
  any.Clear();  // An Any is replaced whole.
  if (node.kind == Node::Kind::Null) return;
  if (node.kind != Node::Kind::Map) return wrongForm(place, "a mapping with \"@type\"", node);
  const Node* url = node.find("@type");
  if (url == nullptr && node.members.empty()) return;
  if (url == nullptr || url->kind != Node::Kind::String || url->text.empty()) {
    place.fault(FaultKind::Type, "expected \"@type\" with the name of a message");
    return;
  }
  const std::string_view type = typeName(url->text);
  if (type == "udpa.type.v1.TypedStruct" || type == "xds.type.v3.TypedStruct") {
    return readTypedStruct(node, any, place);
  }
  Node members = node;
  std::erase_if(members.members, [](const Node::Member& member) { return member.key == "@type"; });
  readTyped(members, url->text, any, place);
}

void MessageReader::readTypedStruct(const Node& node, google::protobuf::Any& any, const Place& place) {
  for (const Node::Member& member : node.members) {
    const bool known =
        member.key == "@type" || member.key == "type_url" || member.key == "typeUrl" || member.key == "value";
    if (known) continue;
    const Place here = place.field(member.key);
    report_.place(here.path(), member.position);
    here.fault(FaultKind::Unknown, "no such field in TypedStruct; expected type_url and value");
  }
  const Node* url = typeUrl(node);
  if (url == nullptr || url->kind != Node::Kind::String || url->text.empty()) {
    place.fault(FaultKind::Type, "expected type_url with the name of a message");
    return;
  }
  report_.wrap(place.path(), "value");
  Node empty;
  empty.kind = Node::Kind::Map;
  empty.position = node.position;
  const Node* value = node.find("value");
  readTyped(value == nullptr ? empty : *value, url->text, any, place);
}

void MessageReader::readStructAs(const google::protobuf::Struct& value, std::string_view type_url,
                                 google::protobuf::Any& any, const Place& place) {
  report_.wrap(place.path(), "value");
  readTyped(structNode(value, {}), type_url, any, place);
}

// Reads the members as the named message and packs it.
void MessageReader::readTyped(const Node& node, std::string_view type_url, google::protobuf::Any& any,
                              const Place& place) {
  const std::string name = modernType(typeName(type_url), place);
  const google::protobuf::Descriptor* type =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(name);
  if (type == nullptr) {
    unknownType(name, place);
    return;
  }
  const Message* prototype = google::protobuf::MessageFactory::generated_factory()->GetPrototype(type);
  std::unique_ptr<Message> inner(prototype->New());
  if (!hasOwnForm(*type)) {
    // Envoy packs these with a "value" too, as the empty message has no fields.
    Node plain = node;
    if (name == "google.protobuf.Empty") plain.members.clear();
    read(plain, *inner, place);
  } else if (const Node* value = node.find("value"); value != nullptr && node.members.size() == 1) {
    read(*value, *inner, place);
  } else {
    place.fault(FaultKind::Type, fmt::format("expected \"value\" and nothing else beside the type {}", name));
    return;
  }
  any.PackFrom(*inner);
}

}  // namespace weir::config
