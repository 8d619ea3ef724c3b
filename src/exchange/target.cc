// Path and host of a request, brought into the one form that filters, routes and the upstream share.
#include "exchange/request_headers.h"
#include "http/path.h"

namespace weir::exchange {
namespace {

using http::HeaderId;
using EscapedSlashes = HttpManagerSpec::EscapedSlashes;

void stripHostPort(const HttpManagerSpec& spec, const filter::ConnectionInfo& connection, http::HeaderMap& request) {
  const std::string_view host = request.getOr(HeaderId::Authority, "");
  std::string_view stripped = host;
  if (spec.strip_any_host_port) stripped = http::stripPort(host);
  if (spec.strip_matching_host_port) stripped = http::stripMatchingPort(host, connection.local.port());
  if (stripped.size() != host.size()) request.set(HeaderId::Authority, std::string(stripped));
}

// "host." and "host.:80" name the same host as without the dot (RFC 1034 3.1).
void stripTrailingDot(http::HeaderMap& request) {
  const std::string_view authority = request.getOr(HeaderId::Authority, "");
  const std::string_view host = http::stripPort(authority);
  if (!host.ends_with('.')) return;
  std::string stripped(host.substr(0, host.size() - 1));
  stripped += authority.substr(host.size());
  request.set(HeaderId::Authority, stripped);
}

}  // namespace

std::optional<Refusal> normalizeTarget(const HttpManagerSpec& spec, const filter::ConnectionInfo& connection,
                                       http::HeaderMap& request) {
  const std::string_view original = request.getOr(HeaderId::Path, "");
  if (isConnect(request)) return std::nullopt;  // It has no path.
  // As Envoy: only paths are routed; "*" and what else is no path has no route.
  if (original.empty() || original.front() != '/') return Refusal{404, "absolute_path_rejected", ""};
  if (spec.strip_trailing_host_dot) stripTrailingDot(request);
  // A fragment is not sent (RFC 9110 4.2.5), and who does could mean two paths by it. HTTP/1's codec has refused it.
  if (original.find('#') != std::string_view::npos) return Refusal{400, "path_normalization_failed", ""};
  if (spec.strip_any_host_port || spec.strip_matching_host_port) stripHostPort(spec, connection, request);
  if (!spec.normalize_path && !spec.merge_slashes && spec.escaped_slashes == EscapedSlashes::Keep) return std::nullopt;

  std::string path(original);
  bool redirect = false;
  if (spec.escaped_slashes != EscapedSlashes::Keep && http::hasEscapedSlashes(path)) {
    if (spec.escaped_slashes == EscapedSlashes::Reject) return Refusal{400, "path_normalization_failed", ""};
    path = http::unescapeSlashes(path);
    redirect = spec.escaped_slashes == EscapedSlashes::UnescapeAndRedirect;
  }
  if (spec.normalize_path) {
    auto normalized = http::normalizePath(path);
    if (!normalized) return Refusal{400, "path_normalization_failed", ""};
    path = std::move(*normalized);
  }
  if (spec.merge_slashes) path = http::mergeSlashes(path);
  if (redirect) return Refusal{307, "path_normalization_redirect", path};
  if (path != original) request.set(HeaderId::Path, path);
  return std::nullopt;
}

}  // namespace weir::exchange
