#include "access_log/log_filter.h"

#include <algorithm>
#include <charconv>

#include "format/metadata.h"

namespace weir::access_log {
namespace {

using Kind = FilterSpec::Kind;

bool compare(const Comparison& comparison, uint64_t value) {
  switch (comparison.op) {
    case Comparison::Op::Equal: return value == comparison.value;
    case Comparison::Op::AtLeast: return value >= comparison.value;
    case Comparison::Op::AtMost: return value <= comparison.value;
    case Comparison::Op::NotEqual: return value != comparison.value;
  }
  return false;
}

uint64_t milliseconds(const format::Entry& entry) {
  const base::Duration took = entry.info.finished.value_or(entry.since_start);
  return static_cast<uint64_t>(
      std::max<int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
}

// As Envoy: the first eight digits of the request's id, so that all proxies on its way sample alike.
std::optional<uint64_t> numberOfRequestId(const http::HeaderMap* request) {
  if (request == nullptr) return std::nullopt;
  const std::string_view id = request->getOr(http::HeaderId::RequestId, "");
  if (id.size() != 36) return std::nullopt;
  uint64_t number = 0;
  const auto parsed = std::from_chars(id.data(), id.data() + 8, number, 16);
  return parsed.ptr == id.data() + 8 ? std::optional<uint64_t>(number) : std::nullopt;
}

template <typename T>
bool holds(const std::vector<T>& all, T one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

base::Result<LogFilter> LogFilter::create(const FilterSpec& spec) {
  LogFilter filter;
  filter.spec_ = spec;
  filter.spec_.parts.clear();
  for (const FilterSpec& part : spec.parts) {
    auto compiled = create(part);
    if (!compiled.ok()) return std::move(compiled).error();
    filter.parts_.push_back(*std::move(compiled));
  }
  if (spec.kind == Kind::Header) {
    auto matcher = route::HeaderMatcher::create(spec.header);
    if (!matcher.ok()) return std::move(matcher).error();
    filter.header_ = std::make_shared<const route::HeaderMatcher>(*std::move(matcher));
  }
  if (spec.kind == Kind::Metadata && spec.metadata.kind == MetadataMatch::Kind::String) {
    auto matcher = route::StringMatcher::create(spec.metadata.string);
    if (!matcher.ok()) return std::move(matcher).error();
    filter.string_ = std::make_shared<const route::StringMatcher>(*std::move(matcher));
  }
  return filter;
}

bool LogFilter::passes(const format::Entry& entry, base::Random& random) const {
  const auto passes_one = [&](const LogFilter& part) { return part.passes(entry, random); };
  switch (spec_.kind) {
    case Kind::StatusCode: return compare(spec_.comparison, static_cast<uint64_t>(entry.info.response_code));
    case Kind::Duration: return compare(spec_.comparison, milliseconds(entry));
    case Kind::NotHealthCheck: return true;  // Only a health-check filter marks requests as such, and there is none.
    case Kind::Runtime: return sampled(entry, random);
    case Kind::And: return std::all_of(parts_.begin(), parts_.end(), passes_one);
    case Kind::Or: return std::any_of(parts_.begin(), parts_.end(), passes_one);
    case Kind::Header: return entry.request != nullptr && header_->matches(*entry.request);
    case Kind::ResponseFlag:
      return spec_.flags == 0 ? entry.info.response_flags != 0 : (entry.info.response_flags & spec_.flags) != 0;
    case Kind::GrpcStatus: {
      constexpr int64_t kUnknown = 2;
      const int64_t status = format::statusOfAnyCall(entry).value_or(kUnknown);
      return holds(spec_.grpc_statuses, status) != spec_.exclude;
    }
    case Kind::Metadata: return metadataMatches(entry);
    case Kind::LogType: return holds(spec_.types, entry.type) != spec_.exclude;
  }
  return true;
}

bool LogFilter::sampled(const format::Entry& entry, base::Random& random) const {
  std::optional<uint64_t> number;
  if (!spec_.independent) number = numberOfRequestId(entry.request);
  if (!number) number = random.next();
  return *number % spec_.denominator < spec_.numerator;
}

bool LogFilter::metadataMatches(const format::Entry& entry) const {
  const MetadataMatch& match = spec_.metadata;
  const auto fields = entry.info.dynamic_metadata.find(match.filter);
  std::optional<format::MetadataValue> value;
  if (fields != entry.info.dynamic_metadata.end()) value = format::follow(fields->second, match.path);
  if (!value) return match.if_not_found;
  std::string json;
  if (!format::appendMetadata(*value, false, json)) return match.if_not_found;
  const bool is_text = json.starts_with('"');
  double number = 0;
  const bool is_number =
      std::from_chars(json.data(), json.data() + json.size(), number).ptr == json.data() + json.size();
  bool matches = false;
  switch (match.kind) {
    case MetadataMatch::Kind::Null: matches = json == "null"; break;
    case MetadataMatch::Kind::Number: matches = is_number && number == match.number; break;
    case MetadataMatch::Kind::Range: matches = is_number && number >= match.number && number < match.range_end; break;
    case MetadataMatch::Kind::Bool: matches = json == (match.truth ? "true" : "false"); break;
    case MetadataMatch::Kind::Present: matches = match.truth; break;
    case MetadataMatch::Kind::String: {
      std::string text;
      matches = is_text && format::appendMetadata(*value, true, text) && string_->matches(text);
      break;
    }
  }
  return matches != match.invert;
}

}  // namespace weir::access_log
