#include "config/inspect.h"

#include <envoy/config/route/v3/route_components.pb.h>
#include <fmt/format.h>
#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/unknown_field_set.h>
#include <udpa/type/v1/typed_struct.pb.h>
#include <xds/type/v3/typed_struct.pb.h>

#include "config/filter_overrides.h"
#include "config/message_reader.h"
#include "config/rules.h"
#include "config/support.h"

namespace weir::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Binary messages may nest as deep as protobuf lets them.
class Inspection {
 public:
  explicit Inspection(bool allow_unknown) : allow_unknown_(allow_unknown) {}

  void visit(Message& message, const Place& place) {
    if (depth_ >= kMaxDepth) {
      place.fault(FaultKind::Limit, fmt::format("nested deeper than {} levels", kMaxDepth));
      return;
    }
    depth_++;
    visitHere(message, place);
    depth_--;
  }

 private:
  void visitHere(Message& message, const Place& place) {
    const Descriptor& type = *message.GetDescriptor();
    if (auto* any = dynamic_cast<google::protobuf::Any*>(&message)) return visitAny(*any, place);
    if (type.full_name().starts_with("google.protobuf.")) return;
    if (auto* filter = dynamic_cast<envoy::config::route::v3::FilterConfig*>(&message)) dropOptional(*filter, place);

    const MessageSupport* support = findSupport(type.full_name());
    if (support == nullptr) return place.unsupported(type.full_name());
    checkUnknown(message, place);
    checkRules(message, place);
    if (support->whole) return;

    std::vector<const FieldDescriptor*> set;
    message.GetReflection()->ListFields(message, &set);
    for (const FieldDescriptor* field : set) visitField(message, *field, *support, place.field(field->name()));
  }

  // A filter that is unknown here and optional; of text, the reader has left it out.
  void dropOptional(envoy::config::route::v3::FilterConfig& filter, const Place& place) {
    if (!filter.is_optional() || filter.config().type_url().empty()) return;
    const std::string_view type = typeName(filter.config().type_url());
    if (type.ends_with(".TypedStruct") || isFilterType(type)) return;
    place.field("config").notice(fmt::format("there is no filter of the type {}; it is optional and left out", type));
    filter.mutable_config()->Clear();
  }

  // Only binary messages have such: text is read field by field.
  void checkUnknown(const Message& message, const Place& place) {
    const google::protobuf::UnknownFieldSet& unknown = message.GetReflection()->GetUnknownFields(message);
    if (unknown.empty()) return;
    const std::string text =
        fmt::format("holds unknown fields (the first has the number {})", unknown.field(0).number());
    if (allow_unknown_) return place.notice(text);
    place.fault(FaultKind::Unknown, text);
  }

  void visitField(Message& message, const FieldDescriptor& field, const MessageSupport& support, const Place& place) {
    const FieldSupport* entry = nullptr;
    for (const FieldSupport& candidate : support.fields) {
      if (candidate.field == field.name()) entry = &candidate;
    }
    if (entry == nullptr) return place.unsupported(fmt::format("{} of {}", field.name(), support.message));
    if (entry->effect == FieldSupport::Effect::Refused) {
      place.fault(FaultKind::Unsupported, fmt::format("not implemented in weir: {}", entry->reason));
      return;
    }
    if (field.options().deprecated()) place.notice("deprecated in Envoy's API");
    if (entry->effect == FieldSupport::Effect::None) {
      return place.notice(fmt::format("accepted, without effect: {}", entry->reason));
    }
    visitValues(message, field, place);
  }

  void visitValues(Message& message, const FieldDescriptor& field, const Place& place) {
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return;
    const google::protobuf::Reflection& reflection = *message.GetReflection();
    if (!field.is_repeated()) return visit(*reflection.MutableMessage(&message, &field), place);

    for (int i = 0; i < reflection.FieldSize(message, &field); i++) {
      Message& item = *reflection.MutableRepeatedMessage(&message, &field, i);
      if (field.is_map()) {
        visitEntry(item, place);
      } else {
        visit(item, place.item(static_cast<size_t>(i)));
      }
    }
  }

  void visitEntry(Message& entry, const Place& place) {
    const FieldDescriptor& key = *entry.GetDescriptor()->map_key();
    const FieldDescriptor& value = *entry.GetDescriptor()->map_value();
    if (value.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return;
    const bool text = key.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    const Place here = text ? place.key(entry.GetReflection()->GetString(entry, &key)) : place;
    visit(*entry.GetReflection()->MutableMessage(&entry, &value), here);
  }

  void visitAny(google::protobuf::Any& any, const Place& place) {
    if (any.type_url().empty()) return;  // Whoever needs it asks for it.
    const std::string name{typeName(any.type_url())};
    if (unwrap<udpa::type::v1::TypedStruct>(any, place) || unwrap<xds::type::v3::TypedStruct>(any, place)) {
      return visitAny(any, place);
    }
    const Descriptor* type = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(name);
    if (type == nullptr) return place.unsupported(name);
    std::unique_ptr<Message> inner(google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
    if (!inner->ParseFromString(any.value())) {
      place.fault(FaultKind::Type, fmt::format("the bytes are no {}", name));
      return;
    }
    visit(*inner, place);
    any.PackFrom(*inner);  // What visit() unwrapped further inside.
  }

  template <typename TypedStruct>
  bool unwrap(google::protobuf::Any& any, const Place& place) {
    TypedStruct typed;
    if (!any.Is<TypedStruct>() || !any.UnpackTo(&typed)) return false;
    any.Clear();
    MessageReader(place.report(), allow_unknown_).readStructAs(typed.value(), typed.type_url(), any, place);
    return true;
  }

  bool allow_unknown_;
  size_t depth_ = 0;
};

}  // namespace

void inspect(Message& message, const Place& place, bool allow_unknown) {
  Inspection(allow_unknown).visit(message, place);
}

}  // namespace weir::config
