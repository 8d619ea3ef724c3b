// envoy.config.accesslog.v3.AccessLogFilter: which entries are written.
#include "access_log/log_filter.h"

#include "config/access_log.h"
#include "config/values.h"
#include "format/flags.h"

namespace weir::config {
namespace {

namespace v3 = envoy::config::accesslog::v3;
using access_log::Comparison;
using access_log::FilterSpec;
using access_log::MetadataMatch;
using Kind = FilterSpec::Kind;

Comparison convertComparison(const v3::ComparisonFilter& filter, const Place& place) {
  Comparison comparison;
  switch (filter.op()) {
    case v3::ComparisonFilter::GE: comparison.op = Comparison::Op::AtLeast; break;
    case v3::ComparisonFilter::LE: comparison.op = Comparison::Op::AtMost; break;
    case v3::ComparisonFilter::NE: comparison.op = Comparison::Op::NotEqual; break;
    default: break;
  }
  comparison.value = filter.value().default_value();
  return comparison;
}

uint32_t denominatorOf(const envoy::type::v3::FractionalPercent& percent) {
  switch (percent.denominator()) {
    case envoy::type::v3::FractionalPercent::TEN_THOUSAND: return 10'000;
    case envoy::type::v3::FractionalPercent::MILLION: return 1'000'000;
    default: return 100;
  }
}

void convertValue(const envoy::type::matcher::v3::ValueMatcher& value, const Place& place, MetadataMatch& match) {
  using envoy::type::matcher::v3::ValueMatcher;
  switch (value.match_pattern_case()) {
    case ValueMatcher::kNullMatch: match.kind = MetadataMatch::Kind::Null; break;
    case ValueMatcher::kBoolMatch:
      match.kind = MetadataMatch::Kind::Bool;
      match.truth = value.bool_match();
      break;
    case ValueMatcher::kPresentMatch:
      match.kind = MetadataMatch::Kind::Present;
      match.truth = value.present_match();
      break;
    case ValueMatcher::kStringMatch:
      match.kind = MetadataMatch::Kind::String;
      match.string = convertString(value.string_match(), place.field("string_match"));
      break;
    case ValueMatcher::kDoubleMatch:
      if (value.double_match().has_range()) {
        match.kind = MetadataMatch::Kind::Range;
        match.number = value.double_match().range().start();
        match.range_end = value.double_match().range().end();
      } else {
        match.kind = MetadataMatch::Kind::Number;
        match.number = value.double_match().exact();
      }
      break;
    default: break;  // Lists and alternatives are refused by the tables.
  }
}

MetadataMatch convertMetadata(const v3::MetadataFilter& filter, const Place& place) {
  MetadataMatch match;
  match.filter = filter.matcher().filter();
  for (const auto& segment : filter.matcher().path()) match.path.push_back(segment.key());
  match.invert = filter.matcher().invert();
  if (filter.has_match_if_key_not_found()) match.if_not_found = filter.match_if_key_not_found().value();
  convertValue(filter.matcher().value(), place.field("matcher").field("value"), match);
  return match;
}

template <typename T>
void convertParts(const T& filters, const Place& place, FilterSpec& spec) {
  for (int i = 0; i < filters.size(); i++) {
    spec.parts.push_back(convertLogFilter(filters.Get(i), place.item("filters", static_cast<size_t>(i))));
  }
}

}  // namespace

FilterSpec convertLogFilter(const v3::AccessLogFilter& filter, const Place& place) {
  FilterSpec spec;
  switch (filter.filter_specifier_case()) {
    case v3::AccessLogFilter::kStatusCodeFilter:
      spec.kind = Kind::StatusCode;
      spec.comparison = convertComparison(filter.status_code_filter().comparison(), place.field("status_code_filter"));
      break;
    case v3::AccessLogFilter::kDurationFilter:
      spec.kind = Kind::Duration;
      spec.comparison = convertComparison(filter.duration_filter().comparison(), place.field("duration_filter"));
      break;
    case v3::AccessLogFilter::kRuntimeFilter:
      spec.kind = Kind::Runtime;
      spec.numerator = filter.runtime_filter().percent_sampled().numerator();
      spec.denominator = denominatorOf(filter.runtime_filter().percent_sampled());
      spec.independent = filter.runtime_filter().use_independent_randomness();
      break;
    case v3::AccessLogFilter::kAndFilter:
      spec.kind = Kind::And;
      convertParts(filter.and_filter().filters(), place.field("and_filter"), spec);
      break;
    case v3::AccessLogFilter::kOrFilter:
      spec.kind = Kind::Or;
      convertParts(filter.or_filter().filters(), place.field("or_filter"), spec);
      break;
    case v3::AccessLogFilter::kHeaderFilter:
      spec.kind = Kind::Header;
      spec.header = convertHeaderMatch(filter.header_filter().header(), place.field("header_filter").field("header"));
      break;
    case v3::AccessLogFilter::kResponseFlagFilter:
      spec.kind = Kind::ResponseFlag;
      for (const auto& flag : filter.response_flag_filter().flags()) spec.flags |= format::flagByLetters(flag);
      break;
    case v3::AccessLogFilter::kGrpcStatusFilter:
      spec.kind = Kind::GrpcStatus;
      for (const int status : filter.grpc_status_filter().statuses()) spec.grpc_statuses.push_back(status);
      spec.exclude = filter.grpc_status_filter().exclude();
      break;
    case v3::AccessLogFilter::kMetadataFilter:
      spec.kind = Kind::Metadata;
      spec.metadata = convertMetadata(filter.metadata_filter(), place.field("metadata_filter"));
      break;
    case v3::AccessLogFilter::kLogTypeFilter:
      spec.kind = Kind::LogType;
      for (const int type : filter.log_type_filter().types()) {
        spec.types.push_back(static_cast<format::LogType>(type));  // Numbered alike.
      }
      spec.exclude = filter.log_type_filter().exclude();
      break;
    default: break;  // NotHealthCheck; the others are refused by the tables.
  }
  return spec;
}

}  // namespace weir::config
