// envoy.config.accesslog.v3 and the loggers that write to files.
#include "config/access_log.h"

#include <envoy/extensions/access_loggers/file/v3/file.pb.h>
#include <envoy/extensions/access_loggers/stream/v3/stream.pb.h>
#include <envoy/extensions/access_loggers/wasm/v3/wasm.pb.h>

#include "config/support.h"
#include "config/values.h"
#include "proxy_wasm/access_logger.h"

namespace weir::config {
namespace {

namespace loggers = envoy::extensions::access_loggers;
using access_log::LogSpec;
using access_log::SinkSpec;
using loggers::file::v3::FileAccessLog;
using loggers::stream::v3::StderrAccessLog;
using loggers::stream::v3::StdoutAccessLog;
using loggers::wasm::v3::WasmAccessLog;

void convertFileFormat(const FileAccessLog& file, const Place& place, const Conversion& conversion, LogSpec& spec) {
  switch (file.access_log_format_case()) {
    case FileAccessLog::kLogFormat:
      spec.format = convertFormat(file.log_format(), place.field("log_format"), conversion);
      return;
    case FileAccessLog::kFormat: {
      if (file.format().empty()) return;  // The default.
      envoy::config::core::v3::SubstitutionFormatString format;
      format.set_text_format(file.format());
      spec.format = convertFormat(format, place.field("format"), conversion);
      return;
    }
    case FileAccessLog::kJsonFormat:
    case FileAccessLog::kTypedJsonFormat: {
      envoy::config::core::v3::SubstitutionFormatString format;
      const bool typed = file.access_log_format_case() == FileAccessLog::kTypedJsonFormat;
      *format.mutable_json_format() = typed ? file.typed_json_format() : file.json_format();
      spec.format = convertFormat(format, place.field(typed ? "typed_json_format" : "json_format"), conversion);
      return;
    }
    default: return;
  }
}

template <typename T>
LogSpec convertStream(const google::protobuf::Any& any, SinkSpec::Kind kind, const Place& place,
                      const Conversion& conversion) {
  LogSpec spec;
  spec.sink.kind = kind;
  T stream;
  any.UnpackTo(&stream);
  if (stream.has_log_format()) spec.format = convertFormat(stream.log_format(), place.field("log_format"), conversion);
  return spec;
}

std::optional<LogSpec> convertSink(const google::protobuf::Any& any, const Place& place, const Conversion& conversion) {
  if (any.Is<StdoutAccessLog>()) {
    return convertStream<StdoutAccessLog>(any, SinkSpec::Kind::Stdout, place, conversion);
  }
  if (any.Is<StderrAccessLog>()) {
    return convertStream<StderrAccessLog>(any, SinkSpec::Kind::Stderr, place, conversion);
  }
  if (any.Is<WasmAccessLog>()) {
    const auto logger = unpack<WasmAccessLog>(any, place, "the logger's configuration");
    if (!logger) return std::nullopt;
    const Place here = place.field("config");
    if (!logger->has_config()) here.fault(FaultKind::Rule, "is required");
    LogSpec spec;
    spec.other = std::make_shared<proxy_wasm::AccessLoggerConfig>(convertPlugin(logger->config(), here, conversion));
    return spec;
  }
  // Another known logger is refused by the support tables.
  if (!any.type_url().empty() && !any.Is<FileAccessLog>()) return std::nullopt;
  const auto file = unpack<FileAccessLog>(any, place, "the logger's configuration");
  if (!file) return std::nullopt;
  LogSpec spec;
  spec.sink.path = file->path();
  convertFileFormat(*file, place, conversion, spec);
  return spec;
}

}  // namespace

std::vector<LogSpec> convertAccessLogs(
    const google::protobuf::RepeatedPtrField<envoy::config::accesslog::v3::AccessLog>& logs, const Place& place,
    Conversion& conversion) {
  std::vector<LogSpec> specs;
  for (int i = 0; i < logs.size(); i++) {
    const Place here = place.item(static_cast<size_t>(i));
    auto spec = convertSink(logs.Get(i).typed_config(), here.field("typed_config"), conversion);
    if (!spec) continue;
    spec->where = here.path();
    if (logs.Get(i).has_filter()) spec->filter = convertLogFilter(logs.Get(i).filter(), here.field("filter"));
    specs.push_back(*std::move(spec));
  }
  return specs;
}

const SupportTables& accessLogSupport() {
  static const SupportTables kTables{
      {"envoy.config.accesslog.v3.AccessLog", {{"name"}, {"filter"}, {"typed_config"}}},
      {"envoy.extensions.access_loggers.file.v3.FileAccessLog",
       {{"path"}, {"format"}, {"json_format"}, {"typed_json_format"}, {"log_format"}}},
      {"envoy.extensions.access_loggers.stream.v3.StdoutAccessLog", {{"log_format"}}},
      {"envoy.extensions.access_loggers.stream.v3.StderrAccessLog", {{"log_format"}}},
      {"envoy.extensions.access_loggers.wasm.v3.WasmAccessLog", {{"config"}}},
      {"envoy.config.core.v3.SubstitutionFormatString",
       {{"text_format"},
        {"text_format_source"},
        {"json_format"},
        {"omit_empty_values"},
        {"content_type"},
        {"formatters"},
        {"json_format_options"}}},
      {"envoy.config.core.v3.JsonFormatOptions",
       {noEffect("sort_properties", "properties are always sorted, as in Envoy")}},
      {"envoy.extensions.formatter.metadata.v3.Metadata", {}},
      {"envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery", {}},
      {"envoy.config.accesslog.v3.AccessLogFilter",
       {{"status_code_filter"},
        {"duration_filter"},
        {"not_health_check_filter"},
        {"runtime_filter"},
        {"and_filter"},
        {"or_filter"},
        {"header_filter"},
        {"response_flag_filter"},
        {"grpc_status_filter"},
        {"metadata_filter"},
        {"log_type_filter"},
        refused("traceable_filter", "tracing comes later"),
        refused("extension_filter", "there are no further filters")}},
      {"envoy.config.accesslog.v3.StatusCodeFilter", {{"comparison"}}},
      {"envoy.config.accesslog.v3.DurationFilter", {{"comparison"}}},
      {"envoy.config.accesslog.v3.NotHealthCheckFilter", {}},
      {"envoy.config.accesslog.v3.ComparisonFilter", {{"op"}, {"value"}}},
      {"envoy.config.core.v3.RuntimeUInt32", {{"default_value"}, {"runtime_key"}}},
      {"envoy.config.accesslog.v3.RuntimeFilter",
       {{"percent_sampled"}, {"use_independent_randomness"}, {"runtime_key"}}},
      {"envoy.config.accesslog.v3.AndFilter", {{"filters"}}},
      {"envoy.config.accesslog.v3.OrFilter", {{"filters"}}},
      {"envoy.config.accesslog.v3.HeaderFilter", {{"header"}}},
      {"envoy.config.accesslog.v3.ResponseFlagFilter", {{"flags"}}},
      {"envoy.config.accesslog.v3.GrpcStatusFilter", {{"statuses"}, {"exclude"}}},
      {"envoy.config.accesslog.v3.MetadataFilter", {{"matcher"}, {"match_if_key_not_found"}}},
      {"envoy.config.accesslog.v3.LogTypeFilter", {{"types"}, {"exclude"}}},
      {"envoy.type.matcher.v3.MetadataMatcher", {{"filter"}, {"path"}, {"value"}, {"invert"}}},
      {"envoy.type.matcher.v3.MetadataMatcher.PathSegment", {{"key"}}},
      {"envoy.type.matcher.v3.ValueMatcher",
       {{"null_match"},
        {"double_match"},
        {"string_match"},
        {"bool_match"},
        {"present_match"},
        refused("list_match", "lists are not matched"),
        refused("or_match", "use or_filter")}},
      {"envoy.type.matcher.v3.ValueMatcher.NullMatch", {}},
      {"envoy.type.matcher.v3.DoubleMatcher", {{"range"}, {"exact"}}},
      {"envoy.type.v3.DoubleRange", {{"start"}, {"end"}}},
  };
  return kTables;
}

}  // namespace weir::config
