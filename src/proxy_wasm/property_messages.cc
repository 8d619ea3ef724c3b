// request.* and response.*: from the header maps that the guest may see now, and from what was counted.
#include <algorithm>
#include <charconv>

#include "proxy_wasm/header_edit.h"
#include "proxy_wasm/pairs.h"
#include "proxy_wasm/property.h"

namespace weir::proxy_wasm {
namespace {

using http::HeaderId;

std::string_view withoutFragment(std::string_view path) { return path.substr(0, path.find('#')); }

// One value, or all of a header's values joined by commas.
AbiStatus headerByName(const http::HeaderMap& map, std::string_view name, PropertyValue& value) {
  const auto joined = map.joined(name, value.room());
  return joined ? value.text(*joined) : AbiStatus::NotFound;
}

// The whole map as pairs, each name once.
AbiStatus allHeaders(const http::HeaderMap& map, PropertyValue& value) {
  std::vector<std::pair<std::string_view, std::string>> joined;
  for (const http::HeaderMap::Entry& entry : map) {
    const auto known = std::find_if(joined.begin(), joined.end(), [&](const auto& j) { return j.first == entry.name; });
    if (known == joined.end()) {
      joined.emplace_back(entry.name, entry.value);
    } else {
      known->second.append(",").append(entry.value);
    }
  }
  PairViews views(joined.begin(), joined.end());
  return value.pairs(toPropertyPairs(views));
}

AbiStatus headers(HeaderMapType type, const http::HeaderMap* map, PathRest rest, PropertyValue& value) {
  // As Envoy: a map that is not there is empty.
  if (map == nullptr) return rest.empty() ? value.pairs(toPropertyPairs({})) : AbiStatus::NotFound;
  if (rest.empty()) return allHeaders(*map, value);
  return rest.size() == 1 ? headerByName(*map, nameIn(type, rest.front()), value) : AbiStatus::NotFound;
}

AbiStatus header(const http::HeaderMap* map, HeaderId id, PropertyValue& value) {
  if (map == nullptr) return AbiStatus::NotFound;
  const auto found = map->get(id);
  return found ? value.text(*found) : AbiStatus::NotFound;
}

AbiStatus number(uint64_t count, PropertyValue& value) { return value.number(static_cast<int64_t>(count)); }

// As Envoy: what the guest may see of them, not what went over the wire.
uint64_t bytesOf(const http::HeaderMap* map) { return map != nullptr ? map->bytes() : 0; }

std::optional<int64_t> parsed(std::optional<std::string_view> text) {
  int64_t number = 0;
  if (!text) return std::nullopt;
  const auto end = std::from_chars(text->data(), text->data() + text->size(), number);
  if (end.ec != std::errc() || end.ptr != text->data() + text->size()) return std::nullopt;
  return number;
}

// What was sent, or is about to be. 0: nothing is known yet.
int statusOf(const filter::StreamInfo& info, const http::HeaderMap* response) {
  if (info.response_code != 0 || response == nullptr) return info.response_code;
  return static_cast<int>(parsed(response->get(HeaderId::Status)).value_or(0));
}

AbiStatus contentLength(const http::HeaderMap* map, uint64_t counted, PropertyValue& value) {
  const auto declared = map != nullptr ? parsed(map->get(HeaderId::ContentLength)) : std::nullopt;
  return declared ? value.number(*declared) : number(counted, value);
}

// https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md
int64_t grpcStatusOf(int http_status) {
  switch (http_status) {
    case 400: return 13;  // INTERNAL
    case 401: return 16;  // UNAUTHENTICATED
    case 403: return 7;   // PERMISSION_DENIED
    case 404: return 12;  // UNIMPLEMENTED
    case 429:
    case 502:
    case 503:
    case 504: return 14;  // UNAVAILABLE
    default: return 2;    // UNKNOWN
  }
}

AbiStatus requestHeaderProperty(const http::HeaderMap* map, std::string_view name, PropertyValue& value) {
  if (name == "path") return header(map, HeaderId::Path, value);
  if (name == "host") return header(map, HeaderId::Authority, value);
  if (name == "scheme") return header(map, HeaderId::Scheme, value);
  if (name == "method") return header(map, HeaderId::Method, value);
  if (name == "referer") return header(map, HeaderId::Referer, value);
  if (name == "useragent") return header(map, HeaderId::UserAgent, value);
  if (name == "id") return header(map, HeaderId::RequestId, value);
  if (name != "url_path" && name != "query") return AbiStatus::NotFound;

  const auto path = map != nullptr ? map->get(HeaderId::Path) : std::nullopt;
  if (!path) return AbiStatus::NotFound;
  const size_t question = path->find('?');
  if (name == "url_path") return value.text(path->substr(0, question));
  return value.text(question == path->npos ? std::string_view() : withoutFragment(path->substr(question + 1)));
}

}  // namespace

AbiStatus requestProperty(const Subject& stream, PathRest rest, PropertyValue& value) {
  if (rest.empty()) return AbiStatus::NotFound;
  const std::string_view name = rest.front();
  const http::HeaderMap* const map = stream.visibleHeaders(HeaderMapType::RequestHeaders);
  if (name == "headers") return headers(HeaderMapType::RequestHeaders, map, rest.subspan(1), value);
  if (rest.size() != 1) return AbiStatus::NotFound;

  const filter::StreamInfo& info = stream.info();
  if (name == "time") return value.number(info.start.time_since_epoch().count(), PropertyType::Time);
  if (name == "size") return contentLength(map, info.request_body_bytes, value);
  if (name == "total_size") return number(info.request_body_bytes + bytesOf(map), value);
  // A connection's plugin is told of the end before it is complete, as in Envoy.
  if (name == "duration" && stream.context.connection() != nullptr) return AbiStatus::NotFound;
  if (name == "duration")
    return info.finished ? value.number(info.finished->count(), PropertyType::Duration) : AbiStatus::NotFound;
  if (name == "protocol") return info.is_http ? value.text(http::name(info.protocol)) : AbiStatus::NotFound;
  return requestHeaderProperty(map, name, value);
}

AbiStatus responseProperty(const Subject& stream, PathRest rest, PropertyValue& value) {
  if (rest.empty()) return AbiStatus::NotFound;
  const std::string_view name = rest.front();
  const http::HeaderMap* const map = stream.visibleHeaders(HeaderMapType::ResponseHeaders);
  const http::HeaderMap* const trailers = stream.visibleHeaders(HeaderMapType::ResponseTrailers);
  if (name == "headers") return headers(HeaderMapType::ResponseHeaders, map, rest.subspan(1), value);
  if (name == "trailers") return headers(HeaderMapType::ResponseTrailers, trailers, rest.subspan(1), value);
  if (rest.size() != 1) return AbiStatus::NotFound;

  const filter::StreamInfo& info = stream.info();
  const int code = statusOf(info, map);
  if (name == "code") return code != 0 ? value.number(code) : AbiStatus::NotFound;
  if (name == "code_details") {
    return info.response_code_details.empty() ? AbiStatus::NotFound : value.text(info.response_code_details);
  }
  if (name == "size") return number(info.response_body_bytes, value);
  if (name == "total_size") return number(info.response_body_bytes + bytesOf(map) + bytesOf(trailers), value);
  if (name == "flags") return number(info.response_flags, value);
  if (name == "grpc_status") {
    auto status = trailers != nullptr ? parsed(trailers->get(HeaderId::GrpcStatus)) : std::nullopt;
    if (!status && map != nullptr) status = parsed(map->get(HeaderId::GrpcStatus));
    if (!status && code != 0) status = grpcStatusOf(code);
    return status ? value.number(*status) : AbiStatus::NotFound;
  }
  if (name == "backend_latency") {
    if (!info.response_started || !info.request_received) return AbiStatus::NotFound;
    return value.number((*info.response_started - *info.request_received).count(), PropertyType::Duration);
  }
  return AbiStatus::NotFound;
}

}  // namespace weir::proxy_wasm
