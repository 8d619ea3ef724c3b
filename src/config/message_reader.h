// Reads a document into a protobuf message, by reflection, accepting what Envoy accepts.
//
// Not protobuf's own JSON parser, because that stops at the first fault and knows no lines. Accepted as there:
// snake_case and camelCase names, a single value where a list belongs, enum values by name in any case or by number,
// numbers in strings, durations "0.25s" or {seconds, nanos}, wrapped values bare or as {value}, bytes in base64, null
// for absent, and Any with "@type". A TypedStruct (udpa.type.v1, xds.type.v3) is replaced by the message it stands for.
// Legacy forms are in legacy.h.
//
// Reading into a message that holds something merges as protobuf's MergeFrom does, which is how --config-yaml goes over
// the file: lists are appended to, messages merged, scalars replaced unless the new value is the type's zero.
#pragma once

#include <google/protobuf/any.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>

#include <string_view>

#include "config/document.h"
#include "config/report.h"

namespace weir::config {

class MessageReader {
 public:
  // Positions of what is read and all faults go to the report. allow_unknown: an unknown field is a notice.
  MessageReader(Report& report, bool allow_unknown) : report_(report), allow_unknown_(allow_unknown) {}

  void read(const Node& node, google::protobuf::Message& message, const Place& place);

  // A TypedStruct that arrived as a message: reads `value` as the named message and packs that.
  void readStructAs(const google::protobuf::Struct& value, std::string_view type_url, google::protobuf::Any& any,
                    const Place& place);

 private:
  using Message = google::protobuf::Message;
  using Field = google::protobuf::FieldDescriptor;
  struct Seen;

  void readMembers(const Node& node, Message& message, const Place& place);
  void readMember(const Node::Member& member, Message& message, const Place& place, Seen& seen);
  void unknownField(const Node::Member& member, const Message& message, const Place& place);
  void readField(const Node& node, Message& message, const Field& field, const Place& place);
  void readList(const Node& node, Message& message, const Field& field, const Place& place);
  void readMap(const Node& node, Message& message, const Field& field, const Place& place);
  void readOne(const Node& node, Message& message, const Field& field, const Place& place);
  bool readWellKnown(const Node& node, Message& message, const Place& place);
  void readAny(const Node& node, google::protobuf::Any& any, const Place& place);
  void readTyped(const Node& node, std::string_view type_url, google::protobuf::Any& any, const Place& place);
  void readTypedStruct(const Node& node, google::protobuf::Any& any, const Place& place);
  void readWrapper(const Node& node, Message& message, const Place& place);

  Report& report_;
  bool allow_unknown_;
};

// "type.googleapis.com/a.b.C" or "a.b.C" to "a.b.C".
std::string_view typeName(std::string_view type_url);

}  // namespace weir::config
