#include "config/message_reader.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <map>

#include "config/filter_overrides.h"
#include "config/legacy.h"
#include "config/names.h"
#include "config/scalar.h"

namespace weir::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const FieldDescriptor* findField(const Descriptor& type, const std::string& key) {
  if (const FieldDescriptor* field = type.FindFieldByName(key)) return field;
  for (int i = 0; i < type.field_count(); i++) {
    if (type.field(i)->json_name() == key) return type.field(i);
  }
  return nullptr;
}

std::vector<std::string> fieldNames(const Descriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); i++) names.push_back(type.field(i)->name());
  return names;
}

}  // namespace

// What one mapping has set so far: a key written twice, and two members of a oneof.
struct MessageReader::Seen {
  std::map<const FieldDescriptor*, const Node::Member*> last;  // The member that counts, per field.
  std::map<const google::protobuf::OneofDescriptor*, const FieldDescriptor*> oneofs;
};

void MessageReader::read(const Node& node, Message& message, const Place& place) {
  report_.place(place.path(), node.position);
  if (readWellKnown(node, message, place)) return;
  if (const std::optional<Node> modern = modernForm(message.GetDescriptor()->full_name(), node, place)) {
    return readMembers(*modern, message, place);
  }
  if (const std::optional<Node> bare = withoutOptionalFilter(message.GetDescriptor()->full_name(), node, place)) {
    return readMembers(*bare, message, place);
  }
  readMembers(node, message, place);
}

void MessageReader::readMembers(const Node& node, Message& message, const Place& place) {
  if (node.kind == Node::Kind::Null) return;
  const Descriptor& type = *message.GetDescriptor();
  if (node.kind != Node::Kind::Map) {
    place.fault(FaultKind::Type, fmt::format("expected a mapping ({}), got {}", type.full_name(), name(node.kind)));
    return;
  }
  Seen seen;
  for (const Node::Member& member : node.members) {
    if (const FieldDescriptor* field = findField(type, member.key)) seen.last[field] = &member;
  }
  for (const Node::Member& member : node.members) readMember(member, message, place, seen);
}

void MessageReader::readMember(const Node::Member& member, Message& message, const Place& place, Seen& seen) {
  const FieldDescriptor* field = findField(*message.GetDescriptor(), member.key);
  if (field == nullptr) return unknownField(member, message, place);

  const Place here = place.field(field->name());
  if (seen.last[field] != &member) {
    report_.noticeAt(member.position, fmt::format("{} is written twice; the last one counts", here.path()));
    return;
  }
  report_.place(here.path(), member.position);
  if (member.value.kind == Node::Kind::Null && field->message_type() == nullptr) return;
  if (const google::protobuf::OneofDescriptor* choice = field->real_containing_oneof()) {
    if (const FieldDescriptor* other = seen.oneofs[choice]; other != nullptr && other != field) {
      here.fault(FaultKind::Rule, fmt::format("only one of {} and {} may be set", other->name(), field->name()));
      return;
    }
    seen.oneofs[choice] = field;
  }
  readField(member.value, message, *field, here);
}

void MessageReader::unknownField(const Node::Member& member, const Message& message, const Place& place) {
  const Descriptor& type = *message.GetDescriptor();
  const Place here = place.field(member.key);
  report_.place(here.path(), member.position);
  const std::string text =
      fmt::format("no such field in {}{}", type.full_name(), didYouMean(member.key, fieldNames(type)));
  if (allow_unknown_) {
    here.notice(text + " (ignored: --allow-unknown-static-fields)");
  } else {
    here.fault(FaultKind::Unknown, text);
  }
}

void MessageReader::readField(const Node& node, Message& message, const FieldDescriptor& field, const Place& place) {
  if (field.is_map()) return readMap(node, message, field, place);
  if (field.is_repeated()) return readList(node, message, field, place);
  readOne(node, message, field, place);
}

void MessageReader::readList(const Node& node, Message& message, const FieldDescriptor& field, const Place& place) {
  if (node.kind == Node::Kind::Null) return;
  const auto next = [&] { return static_cast<size_t>(message.GetReflection()->FieldSize(message, &field)); };
  // As Envoy: a single value stands for a list of one.
  if (node.kind != Node::Kind::List) return readOne(node, message, field, place.item(next()));
  for (const Node& item : node.items) {
    if (item.kind != Node::Kind::Null) readOne(item, message, field, place.item(next()));
  }
}

void MessageReader::readMap(const Node& node, Message& message, const FieldDescriptor& field, const Place& place) {
  if (node.kind == Node::Kind::Null) return;
  if (node.kind != Node::Kind::Map) {
    place.fault(FaultKind::Type, fmt::format("expected a mapping, got {}", name(node.kind)));
    return;
  }
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  const FieldDescriptor& key_field = *field.message_type()->map_key();
  const FieldDescriptor& value_field = *field.message_type()->map_value();
  for (const Node::Member& member : node.members) {
    if (node.find(member.key) != &member.value) {
      report_.noticeAt(member.position, fmt::format("{} is written twice; the last one counts", member.key));
      continue;
    }
    const Place here = place.key(member.key);
    report_.place(here.path(), member.position);
    // An entry added behind one of the same key replaces it when the message is next read or serialised.
    Message& entry = *reflection.AddMessage(&message, &field);
    Node key;
    key.kind = Node::Kind::String;
    key.text = member.key;
    readScalar(key, entry, key_field, here);
    readOne(member.value, entry, value_field, here);
  }
}

void MessageReader::readOne(const Node& node, Message& message, const FieldDescriptor& field, const Place& place) {
  report_.place(place.path(), node.position);
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return readScalar(node, message, field, place);

  const google::protobuf::Reflection& reflection = *message.GetReflection();
  const bool value = field.message_type()->full_name() == "google.protobuf.Value";
  if (node.kind == Node::Kind::Null && !value && !field.is_repeated()) return;
  Message& inner =
      field.is_repeated() ? *reflection.AddMessage(&message, &field) : *reflection.MutableMessage(&message, &field);
  if (field.message_type()->full_name() == "google.protobuf.Any") {
    if (const std::optional<Node> modern = modernAny(field.full_name(), node, place)) {
      return readAny(*modern, static_cast<google::protobuf::Any&>(inner), place);
    }
  }
  read(node, inner, place);
}

std::string_view typeName(std::string_view type_url) {
  const size_t slash = type_url.rfind('/');
  return slash == std::string_view::npos ? type_url : type_url.substr(slash + 1);
}

}  // namespace weir::config
