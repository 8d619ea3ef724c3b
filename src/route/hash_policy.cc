#include "route/hash_policy.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/hash.h"

namespace weir::route {
namespace {

using Kind = HashPolicy::Kind;

std::optional<uint64_t> hashHeader(const std::string& name, const std::optional<Rewriter>& rewrite,
                                   const http::HeaderMap& request) {
  std::vector<std::string> values;
  for (const auto& entry : request) {
    if (!http::equalsIgnoreCase(entry.name, name)) continue;
    values.push_back(rewrite ? rewrite->replaceAll(entry.value) : std::string(entry.value));
  }
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());  // Their order must not matter.
  uint64_t hash = 0;
  for (const std::string& value : values) hash = base::xxHash64(value, hash);
  return hash;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// RFC 6265 4.2: pairs by semicolons; a value may stand in quotes.
std::string_view cookieValue(const http::HeaderMap& request, std::string_view name) {
  for (const auto& entry : request) {
    if (entry.id != http::HeaderId::Cookie) continue;
    std::string_view rest = entry.value;
    while (!rest.empty()) {
      const size_t end = rest.find(';');
      const std::string_view pair = trim(rest.substr(0, end));
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
      const size_t equals = pair.find('=');
      if (equals == std::string_view::npos || trim(pair.substr(0, equals)) != name) continue;
      std::string_view value = trim(pair.substr(equals + 1));
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
      return value;
    }
  }
  return {};
}

std::string setCookie(const HashPolicy& spec, std::string_view value) {
  std::string text = fmt::format("{}=\"{}\"", spec.name, value);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*spec.cookie_ttl).count();
  if (seconds > 0) text += fmt::format("; Max-Age={}", seconds);
  if (!spec.cookie_path.empty()) text += "; Path=" + spec.cookie_path;
  for (const auto& [name, attribute] : spec.cookie_attributes) {
    text += "; " + name;
    if (!attribute.empty()) text += "=" + attribute;
  }
  return text + "; HttpOnly";
}

std::optional<uint64_t> hashCookie(const HashPolicy& spec, const HashSource& source, Hashed& out) {
  const std::string_view value = cookieValue(source.request, spec.name);
  if (!value.empty()) return base::xxHash64(value);
  if (!spec.cookie_ttl) return std::nullopt;
  const std::string made = fmt::format("{:016x}", base::xxHash64(source.connection_name));
  out.set_cookies.push_back(setCookie(spec, made));
  return base::xxHash64(made);
}

std::optional<uint64_t> hashParameter(std::string_view name, const http::HeaderMap& request) {
  std::string_view rest = queryOf(request.getOr(http::HeaderId::Path, {}));
  rest = rest.substr(0, rest.find('#'));
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    const size_t equals = pair.find('=');
    if (pair.substr(0, equals) != name) continue;
    return base::xxHash64(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
  }
  return std::nullopt;
}

}  // namespace

base::Result<HashPolicies> HashPolicies::create(const std::vector<HashPolicy>& specs) {
  HashPolicies policies;
  for (const HashPolicy& spec : specs) {
    policies.policies_.push_back({&spec, std::nullopt});
    if (!spec.header_rewrite) continue;
    auto rewriter = Rewriter::create(*spec.header_rewrite);
    if (!rewriter.ok()) return std::move(rewriter).error();
    policies.policies_.back().rewrite = *std::move(rewriter);
  }
  return policies;
}

std::optional<uint64_t> HashPolicies::hashOf(const Compiled& policy, const HashSource& source, Hashed& out) {
  const HashPolicy& spec = *policy.spec;
  switch (spec.kind) {
    case Kind::Header: return hashHeader(spec.name, policy.rewrite, source.request);
    case Kind::Cookie: return hashCookie(spec, source, out);
    case Kind::SourceIp:
      if (source.client_ip.empty()) return std::nullopt;
      return base::xxHash64(source.client_ip);
    case Kind::QueryParameter: return hashParameter(spec.name, source.request);
    case Kind::FilterState: {
      const auto found = source.filter_state.find(spec.name);
      if (found == source.filter_state.end()) return std::nullopt;
      return base::xxHash64(found->second);
    }
  }
  return std::nullopt;
}

Hashed HashPolicies::evaluate(const HashSource& source) const {
  Hashed out;
  for (const Compiled& policy : policies_) {
    if (const auto hash = hashOf(policy, source, out)) {
      // Rotated, so that two policies with the same value do not cancel each other out.
      const uint64_t before = out.hash.value_or(0);
      out.hash = ((before << 1) | (before >> 63)) ^ *hash;
    }
    if (policy.spec->terminal && out.hash) break;
  }
  return out;
}

}  // namespace weir::route
