#include "route/rewrite.h"

#include "route/route_table.h"

namespace weir::route {
namespace {

constexpr std::string_view kOriginalHost = "x-envoy-original-host";

bool hasDefaultPort(std::string_view scheme, std::string_view port) {
  return (scheme == "https" && port == ":443") || (scheme == "http" && port == ":80");
}

std::string_view redirectScheme(const RedirectAction* redirect, const http::HeaderMap& request) {
  if (redirect != nullptr && redirect->https) return "https";
  if (redirect != nullptr && !redirect->scheme.empty()) return redirect->scheme;
  return request.getOr(http::HeaderId::Scheme, "http");
}

std::string_view requestHost(const http::HeaderMap& request, std::string_view new_scheme, bool new_port) {
  const std::string_view host = request.getOr(http::HeaderId::Authority, {});
  size_t port_at = host.npos;
  if (host.starts_with('[')) {
    port_at = host.rfind("]:");
    if (port_at != host.npos) ++port_at;
  } else {
    port_at = host.rfind(':');
  }
  if (port_at == host.npos) return host;
  const std::string_view old_scheme = request.getOr(http::HeaderId::ForwardedProto, {});
  const bool stale = new_scheme != old_scheme && hasDefaultPort(old_scheme, host.substr(port_at));
  return new_port || stale ? host.substr(0, port_at) : host;
}

std::string redirectPath(const RedirectAction* redirect, std::string_view path) {
  const bool replaced = redirect != nullptr && !redirect->path.empty();
  // A query that the configuration gives stands, whatever the request's was.
  if (replaced && redirect->path.find('?') != std::string::npos) return redirect->path;
  const std::string_view query_part = path.substr(std::min(path.find('?'), path.size()));
  std::string result(replaced ? std::string_view(redirect->path) : path.substr(0, path.find('?')));
  if (redirect == nullptr || !redirect->strip_query) result += query_part;
  return result;
}

}  // namespace

base::Result<Rewriter> Rewriter::create(const RegexRewrite& spec) {
  auto regex = compileRegex(spec.regex);
  if (!regex.ok()) return std::move(regex).error();
  std::string why;
  if (!(*regex)->CheckRewriteString(spec.substitution, &why)) {
    return base::Error{base::Code::InvalidArgument, base::Side::Operator, base::Retry::No,
                       "substitution '" + spec.substitution + "': " + why};
  }
  Rewriter rewriter;
  rewriter.regex_ = *std::move(regex);
  rewriter.substitution_ = spec.substitution;
  return rewriter;
}

std::string Rewriter::replaceAll(std::string_view text) const {
  std::string result(text);
  re2::RE2::GlobalReplace(&result, *regex_, substitution_);
  return result;
}

std::string PathRewrite::apply(const PathMatcher& match, std::string_view path) const {
  const std::string_view bare = pathOnly(path);
  if (regex) return regex->replaceAll(bare).append(path.substr(bare.size()));
  if (prefix.empty()) return std::string(path);
  return prefix + std::string(path.substr(match.matchedLength(bare)));
}

void rewriteHost(http::HeaderMap& request, std::string_view host, bool append_x_forwarded_host, bool note_original) {
  const std::string_view old = request.getOr(http::HeaderId::Authority, {});
  if (note_original && !old.empty()) request.set(kOriginalHost, old);
  if (append_x_forwarded_host && !old.empty()) {
    const std::string_view told = request.getOr(http::HeaderId::ForwardedHost, {});
    // Not twice in a row: a proxy on the way may have noted the same host. Envoy compares without trimming.
    const std::string_view last = told.substr(told.rfind(',') == told.npos ? 0 : told.rfind(',') + 1);
    if (told.empty()) {
      request.set(http::HeaderId::ForwardedHost, old);
    } else if (last != old) {
      request.set(http::HeaderId::ForwardedHost, std::string(told) + "," + std::string(old));
    }
  }
  request.set(http::HeaderId::Authority, host);
}

std::string location(const RedirectAction* redirect, const http::HeaderMap& request, std::string_view path) {
  const std::string_view scheme = redirectScheme(redirect, request);
  const bool new_port = redirect != nullptr && redirect->port != 0;
  std::string uri(scheme);
  uri += "://";
  if (redirect != nullptr && !redirect->host.empty()) {
    uri += redirect->host;
  } else {
    uri += requestHost(request, scheme, new_port);
  }
  if (new_port) uri += ":" + std::to_string(redirect->port);
  return uri + redirectPath(redirect, path);
}

}  // namespace weir::route
