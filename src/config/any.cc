// Any and TypedStruct: a message of any type, named by its "@type".
#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <memory>

#include "config/legacy.h"
#include "config/message_reader.h"
#include "config/names.h"
#include "config/support.h"
#include "config/well_known.h"

namespace weir::config {
namespace {

using google::protobuf::Message;

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

void unknownType(const std::string& name, const Place& place) {
  std::vector<std::string> known;
  for (const SupportSection& section : supportSections()) {
    for (const MessageSupport& table : *section.tables) {
      const bool extension = table.message.starts_with("envoy.extensions.") || table.message.starts_with("weir.");
      if (extension) known.emplace_back(table.message);
    }
  }
  const std::string guess = didYouMean(name, known);
  if (name.starts_with("envoy.") && guess.empty()) {
    place.fault(FaultKind::Unsupported, fmt::format("the type {} is not implemented in weir", name));
  } else {
    place.fault(FaultKind::Unknown, fmt::format("unknown type '{}'{}", name, guess));
  }
}

const Node* typeUrl(const Node& node) {
  const Node* url = node.find("type_url");
  return url != nullptr ? url : node.find("typeUrl");
}

}  // namespace

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
