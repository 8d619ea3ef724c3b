// Targets and authorities: taking them apart, and the one form of a path that router, plugins and upstream share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::http {

// "/a?b#c" is path "/a" and query "b#c"; has_query tells "/a?" from "/a". :path keeps no fragment (see http1).
struct PathAndQuery {
  std::string_view path;
  std::string_view query;
  bool has_query = false;
};
PathAndQuery splitPath(std::string_view target);

// Envoy's normalize_path over a whole :path; the query stays as it is. Percent-encoded unreserved characters are
// decoded, what may not stand in a path is encoded, a backslash becomes a slash, dot segments (also "%2e") are resolved
// and stop at the root (RFC 3986 6.2.2). nullopt if it cannot be: no leading slash, or a NUL ("%00").
std::optional<std::string> normalizePath(std::string_view target);

// Envoy's merge_slashes: runs of slashes in the path become one. ("//" becomes "/", where Envoy leaves it.)
std::string mergeSlashes(std::string_view target);

// Whether the path part has an escaped slash or backslash: %2F, %2f, %5C, %5c.
bool hasEscapedSlashes(std::string_view target);
// The same as plain characters: "%2F" becomes "/", "%5C" becomes "\".
std::string unescapeSlashes(std::string_view target);

// "host", "host:80", "[::1]:80", "1.2.3.4:80". RFC 3986 3.2 without userinfo.
struct Authority {
  std::string_view host;  // An IPv6 address with its brackets.
  std::optional<uint16_t> port;
};
// nullopt for what no authority can be: empty, userinfo, a bad character, a bad port, unbalanced brackets. "host:" is
// one, without a port (RFC 3986 3.2.3).
std::optional<Authority> parseAuthority(std::string_view authority);

// Envoy's strip_any_host_port; without a valid port the authority comes back whole.
std::string_view stripPort(std::string_view authority);
// Envoy's strip_matching_host_port.
std::string_view stripMatchingPort(std::string_view authority, uint16_t port);

}  // namespace weir::http
