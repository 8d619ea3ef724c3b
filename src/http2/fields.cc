#include "http2/fields.h"

#include "http/characters.h"
#include "http/joined_fields.h"
#include "http/name_set.h"

namespace weir::http2 {
namespace {

using http::HeaderId;

constexpr size_t kFieldOverhead = 32;          // RFC 9113 6.5.2
constexpr size_t kUsualFootprint = 16 * 1024;  // Of a map with nearly nothing in it, generously.

std::string_view stored(std::string_view bytes, http::HeaderMap& map) {
  if (bytes.empty()) return {};
  char* const to = map.allocate(bytes.size());
  bytes.copy(to, bytes.size());
  return {to, bytes.size()};
}

// Where it is no field of HTTP/2. RFC 9113 8.2.2.
bool ofConnection(HeaderId id) {
  switch (id) {
    case HeaderId::Connection:
    case HeaderId::KeepAlive:
    case HeaderId::ProxyConnection:
    case HeaderId::TransferEncoding:
    case HeaderId::Upgrade:
    case HeaderId::Http2Settings: return true;
    default: return false;
  }
}

// RFC 9110 6.5.1, as the HTTP/1 codec: what means nothing in trailers, or worse.
bool forbiddenInTrailers(HeaderId id, std::string_view name) {
  switch (id) {
    case HeaderId::ContentLength:
    case HeaderId::Host:
    case HeaderId::Te:
    case HeaderId::Trailer:
    case HeaderId::Cookie: return true;
    default: break;
  }
  return ofConnection(id) || name == "authorization" || name == "proxy-authorization" || name == "set-cookie" ||
         name == "content-encoding" || name == "content-range";
}

bool isVisible(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return false;
  }
  return true;
}

}  // namespace

void FieldReader::begin(Kind kind) {
  kind_ = kind;
  fields_.clear();
  host_ = {};
  cookie_.clear();
  count_ = bytes_ = 0;
  has_host_ = has_cookie_ = false;
}

FieldReader::Verdict FieldReader::add(std::string_view name, std::string_view value, const Settings& settings) {
  bytes_ += name.size() + value.size() + kFieldOverhead;
  if (++count_ > settings.max_headers_count) return Verdict::TooMany;
  const size_t limit = size_t{settings.max_headers_kb} * 1024;
  // A field that is repeated and joined takes room again each time.
  if (bytes_ > limit || fields_.footprint() > 2 * limit + kUsualFootprint) return Verdict::TooLarge;

  const HeaderId id = http::wellKnownId(name);
  if (kind_ == Kind::Trailers && forbiddenInTrailers(id, name)) return Verdict::Ok;
  if (kind_ == Kind::Request && id == HeaderId::Cookie) {
    if (has_cookie_) cookie_ += "; ";
    cookie_ += value;
    has_cookie_ = true;
    return Verdict::Ok;
  }
  if (kind_ == Kind::Request && id == HeaderId::Host) {
    host_ = stored(value, fields_);
    has_host_ = true;
    return Verdict::Ok;
  }
  const auto where = kind_ == Kind::Request ? http::Joined::InRequests : http::Joined::InResponses;
  if (kind_ != Kind::Trailers && http::joinRepeated(where, id, name, value, fields_)) return Verdict::Ok;
  const std::string_view own_name = id == HeaderId::Unknown ? stored(name, fields_) : http::wellKnownName(id);
  fields_.addStored(id, own_name, stored(value, fields_));
  return Verdict::Ok;
}

http::HeaderMap FieldReader::take() {
  if (has_host_ && !fields_.has(HeaderId::Authority)) {
    fields_.addStored(HeaderId::Authority, http::wellKnownName(HeaderId::Authority), host_);
  }
  if (has_cookie_) {
    fields_.addStored(HeaderId::Cookie, http::wellKnownName(HeaderId::Cookie), stored(cookie_, fields_));
  }
  kept_ = bytes_ > fields_.footprint() ? bytes_ : fields_.footprint();
  return std::move(fields_);
}

void FieldWriter::put(std::string_view name, std::string_view value) {
  // nghttp2 takes pointers to bytes that it does not change.
  list_.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                   reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
                   NGHTTP2_NV_FLAG_NONE});
}

void FieldWriter::putFields(const http::HeaderMap& headers, Length length, bool of_request) {
  for (const auto& entry : headers) {
    if (http::isPseudo(entry.name) || ofConnection(entry.id)) continue;
    if (of_request && entry.id == HeaderId::Host) continue;
    const std::string_view value = entry.checked ? entry.value : http::trimBlanks(entry.value);
    if (entry.id == HeaderId::ContentLength && length == Length::OnlyZero && value != "0") continue;
    if (entry.id == HeaderId::Te && !http::equalsIgnoreCase(value, "trailers")) continue;
    if (http::validOnWire(entry, value)) put(entry.name, value);
  }
}

const FieldWriter::List& FieldWriter::request(const http::HeaderMap& headers, bool end_stream, bool tunnels) {
  list_.clear();
  const std::string_view method = headers.getOr(HeaderId::Method, "");
  const std::string_view path = headers.getOr(HeaderId::Path, "");
  const std::string_view authority = headers.getOr(HeaderId::Authority, "");
  const std::string_view scheme = headers.getOr(HeaderId::Scheme, "http");
  const bool connect = method == "CONNECT";
  const bool upgrade = tunnels && asksForUpgrade(headers);
  if (connect && !tunnels) return list_;
  if (!http::validName(method) || (!authority.empty() && !isVisible(authority))) return list_;
  if (!connect && (!isVisible(path) || !isVisible(scheme))) return list_;

  put(":method", upgrade ? std::string_view("CONNECT") : method);
  if (upgrade) put(":protocol", headers.getOr(HeaderId::Upgrade, ""));
  if (!authority.empty()) put(":authority", authority);
  if (!connect) {
    put(":scheme", scheme);
    put(":path", path);
  }
  // Of a tunnel the length means nothing.
  putFields(headers, end_stream || upgrade || connect ? Length::OnlyZero : Length::Keep, true);
  return list_;
}

const FieldWriter::List& FieldWriter::response(const http::HeaderMap& headers, bool end_stream, bool to_head) {
  list_.clear();
  const std::string_view status = headers.getOr(HeaderId::Status, "");
  put(":status", status);
  const bool keep = !end_stream || to_head || status == "304";
  putFields(headers, keep ? Length::Keep : Length::OnlyZero, false);
  return list_;
}

const FieldWriter::List& FieldWriter::trailers(const http::HeaderMap& trailers) {
  list_.clear();
  for (const auto& entry : trailers) {
    if (http::isPseudo(entry.name) || forbiddenInTrailers(entry.id, entry.name)) continue;
    const std::string_view value = entry.checked ? entry.value : http::trimBlanks(entry.value);
    if (http::validOnWire(entry, value)) put(entry.name, value);
  }
  return list_;
}

bool upgradeFromConnect(http::HeaderMap& request) {
  const auto protocol = request.get(HeaderId::Protocol);
  if (!protocol || request.getOr(HeaderId::Method, "") != "CONNECT") return false;
  request.set(HeaderId::Method, "GET");
  request.add(HeaderId::Upgrade, *protocol);
  request.add(HeaderId::Connection, "upgrade");
  request.remove(HeaderId::Protocol);
  return true;
}

bool asksForUpgrade(const http::HeaderMap& request) {
  if (!request.has(HeaderId::Upgrade) || !request.has(HeaderId::Connection)) return false;
  std::string_view rest = request.getOr(HeaderId::Connection, "");
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    if (http::equalsIgnoreCase(http::trimBlanks(rest.substr(0, comma)), "upgrade")) return true;
    if (comma == std::string_view::npos) return false;
    rest.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace weir::http2
