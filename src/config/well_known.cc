// The messages of google.protobuf that have a form of their own in JSON, but for Any (any.cc).
#include "config/well_known.h"

#include <fmt/format.h>
#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/time_util.h>

#include <cstdlib>

#include "config/message_reader.h"
#include "config/scalar.h"

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

}  // namespace

bool isWrapper(const google::protobuf::Descriptor& type) {
  return type.file()->name() == "google/protobuf/wrappers.proto";
}

bool hasOwnForm(const google::protobuf::Descriptor& type) {
  const std::string& name = type.full_name();
  if (!name.starts_with(kPackage)) return false;
  return isWrapper(type) || name == "google.protobuf.Duration" || name == "google.protobuf.Timestamp" ||
         name == "google.protobuf.Struct" || name == "google.protobuf.Value" || name == "google.protobuf.ListValue" ||
         name == "google.protobuf.FieldMask" || name == "google.protobuf.Any";
}

void wrongForm(const Place& place, std::string_view expected, const Node& node) {
  const std::string got = node.isScalar() && node.kind != Node::Kind::Null
                              ? fmt::format("'{}'", node.text.substr(0, 60))
                              : std::string(name(node.kind));
  place.fault(FaultKind::Type, fmt::format("expected {}, got {}", expected, got));
}

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

}  // namespace weir::config
