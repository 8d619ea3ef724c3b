// envoy.config.core.v3.SubstitutionFormatString: formats with operators.
#include "format/format.h"

#include <envoy/extensions/formatter/metadata/v3/metadata.pb.h>
#include <envoy/extensions/formatter/req_without_query/v3/req_without_query.pb.h>

#include "config/access_log.h"
#include "config/values.h"

namespace weir::config {
namespace {

using envoy::config::core::v3::SubstitutionFormatString;

format::JsonSpec convertJson(const google::protobuf::Value& value);

format::JsonSpec convertJson(const google::protobuf::Struct& fields) {
  format::JsonSpec::Object object;
  for (const auto& [name, value] : fields.fields()) object.push_back({name, convertJson(value)});
  return {std::move(object)};
}

format::JsonSpec convertJson(const google::protobuf::Value& value) {
  switch (value.kind_case()) {
    case google::protobuf::Value::kBoolValue: return {value.bool_value()};
    case google::protobuf::Value::kNumberValue: return {value.number_value()};
    case google::protobuf::Value::kStringValue: return {value.string_value()};
    case google::protobuf::Value::kStructValue: return convertJson(value.struct_value());
    case google::protobuf::Value::kListValue: {
      format::JsonSpec::List list;
      for (const auto& item : value.list_value().values()) list.push_back(convertJson(item));
      return {std::move(list)};
    }
    default: return {};
  }
}

// The operators of these two are always there; the entry is only checked.
void checkFormatters(const SubstitutionFormatString& format, const Place& place) {
  namespace formatter = envoy::extensions::formatter;
  for (int i = 0; i < format.formatters_size(); i++) {
    const auto& any = format.formatters(i).typed_config();
    const bool known =
        any.Is<formatter::metadata::v3::Metadata>() || any.Is<formatter::req_without_query::v3::ReqWithoutQuery>();
    if (known || any.type_url().empty()) continue;
    place.item("formatters", static_cast<size_t>(i)).field("typed_config").unsupported("this formatter");
  }
}

}  // namespace

format::FormatSpec convertFormat(const SubstitutionFormatString& format, const Place& place,
                                 const Conversion& conversion) {
  format::FormatSpec spec;
  spec.omit_empty = format.omit_empty_values();
  spec.content_type = format.content_type();
  Place where = place;
  switch (format.format_case()) {
    case SubstitutionFormatString::kTextFormat:
      spec.text = format.text_format();
      where = place.field("text_format");
      break;
    case SubstitutionFormatString::kTextFormatSource:
      where = place.field("text_format_source");
      spec.text = readDataSource(format.text_format_source(), where, conversion.options);
      break;
    case SubstitutionFormatString::kJsonFormat:
      where = place.field("json_format");
      spec.kind = format::FormatSpec::Kind::Json;
      spec.json = convertJson(format.json_format());
      break;
    default: break;  // That one is required is told by the rules.
  }
  checkFormatters(format, place);
  if (auto compiled = format::Format::create(spec); !compiled.ok()) {
    where.fault(FaultKind::Rule, compiled.error().detail);
  }
  return spec;
}

}  // namespace weir::config
