#include "http1/request_head.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "http/characters.h"
#include "http/path.h"
#include "http1/fields.h"

namespace weir::http1 {
namespace {

using http::HeaderId;

constexpr Fault kLowVersion{426, "low_version"};
constexpr Fault kInvalidUrl{400, "http1.invalid_url"};
constexpr Fault kInvalidScheme{400, "http1.invalid_scheme"};
constexpr Fault kFragment{400, "path_normalization_failed"};
constexpr Fault kMissingHost{400, "missing_host_header"};
constexpr Fault kInvalidHost{400, "http.invalid_authority"};
constexpr Fault kUpgradeWithBody{400, "http1.upgrade_with_body"};
constexpr Fault kBadConnection{400, "http1.connection_header_rejected"};

// The methods that Envoy takes: the registered ones of its parser. RFC 9110 9.1 has others answered by an error.
constexpr std::array<std::string_view, 34> kMethodNames{
    "acl",    "bind",      "checkout",   "connect",    "copy",   "delete", "get",        "head",   "link",
    "lock",   "merge",     "mkactivity", "mkcalendar", "mkcol",  "move",   "msearch",    "notify", "options",
    "patch",  "post",      "propfind",   "proppatch",  "purge",  "put",    "rebind",     "report", "search",
    "source", "subscribe", "trace",      "unbind",     "unlink", "unlock", "unsubscribe"};
constexpr http::NameSet kMethods(kMethodNames);

// Methods are case-sensitive.
bool isMethod(std::string_view text) {
  const bool upper = std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  return upper && kMethods.has(text);
}

// RFC 3986 2: a target is visible ASCII.
bool isTargetByte(char c) { return c > 0x20 && c < 0x7f; }

std::optional<Fault> parseVersion(std::string_view version, const ServerSettings& settings, int& minor) {
  if (version == "HTTP/1.1") {
    minor = 1;
    return std::nullopt;
  }
  const bool well_formed = version.size() == 8 && version.starts_with("HTTP/") && http::isDigit(version[5]) &&
                           version[6] == '.' && http::isDigit(version[7]);
  if (!well_formed) return kCodecError;
  minor = 0;
  if (version == "HTTP/1.0" && settings.accept_http_10) return std::nullopt;
  return kLowVersion;
}

// What a target says, by its form. RFC 9112 3.2.
struct Target {
  std::string_view scheme;     // Absolute form only.
  bool connect = false;        // Authority form: there is no path.
  std::string_view authority;  // Absolute form only.
  std::string_view path;
  bool needs_slash = false;  // "http://host?query": the path is "/" (RFC 9110 4.2.3).
};

std::optional<Fault> parseAbsolute(std::string_view target, Target& out) {
  const size_t colon = target.find("://");
  if (colon == std::string_view::npos) return kInvalidUrl;
  out.scheme = target.substr(0, colon);
  if (!http::equalsIgnoreCase(out.scheme, "http") && !http::equalsIgnoreCase(out.scheme, "https")) {
    return kInvalidScheme;
  }
  const std::string_view rest = target.substr(colon + 3);
  const size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  out.authority = rest.substr(0, authority_end);
  out.path = rest.substr(authority_end);
  out.needs_slash = out.path.empty() || out.path.front() != '/';
  return std::nullopt;
}

// RFC 9110 9.3.6: host and port, and nothing else.
std::optional<Fault> parseConnect(std::string_view target, Target& out) {
  const auto authority = http::parseAuthority(target);
  if (!authority || !authority->port || target.find_first_of("/?#") != std::string_view::npos) return kInvalidUrl;
  out.authority = target;
  out.connect = true;
  return std::nullopt;
}

std::optional<Fault> parseTarget(const RequestLine& line, const ServerSettings& settings, Target& out) {
  if (line.method == "CONNECT") return parseConnect(line.target, out);
  if (line.target.find('#') != std::string_view::npos) return kFragment;
  if (line.target.front() == '/') {
    out.path = line.target;
    return std::nullopt;
  }
  if (line.target == "*") {
    if (line.method != "OPTIONS") return kInvalidUrl;
    out.path = line.target;
    return std::nullopt;
  }
  if (!settings.allow_absolute_url) return kInvalidUrl;
  return parseAbsolute(line.target, out);
}

// The view of the copy that belongs to a view of the original.
std::string_view moved(std::string_view view, const char* from, const char* to) {
  return {to + (view.data() - from), view.size()};
}

std::string_view withSlash(std::string_view path, http::HeaderMap& out) {
  char* text = out.allocate(path.size() + 1);
  text[0] = '/';
  path.copy(text + 1, path.size());
  return {text, path.size() + 1};
}

// Entry 0 is ":authority" with the value of Host, if there was one.
std::optional<Fault> settleAuthority(std::string_view from_target, bool has_host, const RequestHead& info,
                                     const ServerSettings& settings, http::HeaderMap& out) {
  if (!has_host && info.version_minor == 0 && !settings.default_host_for_http_10.empty()) {
    const std::string_view host = settings.default_host_for_http_10;
    char* const stored = out.allocate(host.size());
    host.copy(stored, host.size());
    out.replaceStored(0, {stored, host.size()});
  } else if (!has_host) {
    // RFC 9112 3.2: HTTP/1.1 asks for Host whatever the form of the target.
    return kMissingHost;
  }
  // An empty Host is one: RFC 9112 3.2 has it sent for a target without an authority.
  const std::string_view host = out.entries()[0].value;
  if (!host.empty() && !http::parseAuthority(host)) return kInvalidHost;
  if (from_target.data() == nullptr) return std::nullopt;
  // RFC 9112 3.2.2: the target wins.
  if (!http::parseAuthority(from_target)) return kInvalidUrl;
  out.replaceStored(0, from_target);
  return std::nullopt;
}

// "h2c" is ignored, as by Envoy (RFC 9113 3.1 has it obsolete). What else there is to be had, the layer above knows.
std::optional<Fault> settleUpgrade(const RequestLine& line, RequestHead& info, http::HeaderMap& out) {
  const auto upgrade = info.framing.upgrade ? out.get(HeaderId::Upgrade) : std::nullopt;
  if (upgrade && http::equalsIgnoreCase(*upgrade, "h2c")) {
    out.remove(HeaderId::Upgrade);
    out.remove(HeaderId::Http2Settings);
  } else if (upgrade) {
    info.switches = true;
  }
  if (line.method == "CONNECT") info.switches = true;
  const bool has_body = info.framing.chunked || info.framing.content_length.value_or(0) > 0;
  if (info.switches && has_body) return kUpgradeWithBody;
  return std::nullopt;
}

}  // namespace

std::optional<Fault> parseRequestLine(std::string_view line, const ServerSettings& settings, RequestLine& out) {
  const size_t method_end = line.find(' ');
  if (method_end == std::string_view::npos) return kCodecError;
  out.method = line.substr(0, method_end);
  if (!isMethod(out.method)) return kCodecError;
  std::string_view rest = line.substr(method_end + 1);
  const size_t target_end = rest.find(' ');
  if (target_end == std::string_view::npos) {
    // HTTP/0.9 had no version; Envoy takes it for one that is too low.
    const bool simple = !rest.empty() && std::all_of(rest.begin(), rest.end(), isTargetByte);
    return simple ? kLowVersion : kCodecError;
  }
  out.target = rest.substr(0, target_end);
  if (out.target.empty() || !std::all_of(out.target.begin(), out.target.end(), isTargetByte)) return kCodecError;
  return parseVersion(rest.substr(target_end + 1), settings, out.version_minor);
}

std::optional<Fault> parseRequestHead(std::string_view head, const ServerSettings& settings, http::HeaderMap& out,
                                      RequestHead& info) {
  const size_t line_end = head.find("\r\n");
  RequestLine line;
  Target target;
  if (auto fault = parseRequestLine(head.substr(0, line_end), settings, line)) return fault;
  if (auto fault = parseTarget(line, settings, target)) return fault;

  const char* const from = head.data();
  char* const to = out.allocate(head.size());
  std::memcpy(to, from, head.size());
  const auto name = [](HeaderId id) { return http::wellKnownName(id); };
  // Envoy's order, in which plugins see them.
  out.addStored(HeaderId::Authority, name(HeaderId::Authority), {});
  if (!target.scheme.empty()) {
    const bool https = target.scheme.size() == 5;
    out.addStored(HeaderId::Scheme, name(HeaderId::Scheme), https ? "https" : "http");
  }
  const std::string_view path = target.connect ? std::string_view() : moved(target.path, from, to);
  if (!target.connect) {
    out.addStored(HeaderId::Path, name(HeaderId::Path), target.needs_slash ? withSlash(path, out) : path);
  }
  out.addStored(HeaderId::Method, name(HeaderId::Method), moved(line.method, from, to));

  const size_t fields_begin = line_end + 2;
  const std::span<char> fields(to + fields_begin, head.size() - 2 - fields_begin);
  const Limits limits{settings.max_headers_kb, settings.max_headers_count};
  bool has_host = false;
  if (auto fault = parseFields(fields, FieldsOf::Request, limits, out, &has_host)) return fault;
  info.version_minor = line.version_minor;
  info.is_head = line.method == "HEAD";
  info.is_connect = line.method == "CONNECT";
  if (auto fault = readFraming(out, line.version_minor, info.framing)) return fault;
  if (info.framing.bad_connection) return kBadConnection;
  const bool names_host = target.connect || !target.scheme.empty();
  const std::string_view authority = names_host ? moved(target.authority, from, to) : std::string_view();
  if (auto fault = settleAuthority(authority, has_host, info, settings, out)) return fault;
  return settleUpgrade(line, info, out);
}

}  // namespace weir::http1
