#include "server/fetch_call.h"

#include <fmt/format.h>

#include <charconv>

namespace weir::server {
namespace {

struct Target {
  std::string_view scheme;
  std::string_view authority;
  std::string path;
};

// RFC 3986 3; "https://host" alone asks for "/". As Envoy: what has no scheme begins with the host.
Target targetOf(std::string_view uri) {
  Target target{"http", uri, "/"};
  if (const size_t end = uri.find("://"); end != uri.npos) {
    target.scheme = uri.substr(0, end);
    target.authority = uri.substr(end + 3);
  }
  const size_t end = target.authority.find_first_of("/?#");
  if (end == target.authority.npos) return target;
  std::string_view rest = target.authority.substr(end);
  target.authority = target.authority.substr(0, end);
  rest = rest.substr(0, rest.find('#'));
  target.path = rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest);
  return target;
}

int statusOf(const http::HeaderMap& headers) {
  const std::string_view text = headers.getOr(http::HeaderId::Status, "");
  int status = 0;
  std::from_chars(text.data(), text.data() + text.size(), status);
  return status;
}

std::string asText(base::BufferChain& body) {
  std::string text(body.size(), '\0');
  body.copyTo(std::span(text), 0);
  return text;
}

}  // namespace

void FetchCall::start(upstream::Cluster* cluster, event::Loop& loop, const proxy_wasm::FetchRequest& request) {
  if (cluster == nullptr) {
    return ended_(*this, {.status = 0, .reason = "there is no cluster '" + request.cluster + "'"});
  }
  const Target target = targetOf(request.uri);
  upstream::HttpCallRequest call;
  call.headers.add(http::HeaderId::Method, "GET");
  call.headers.add(http::HeaderId::Path, target.path);
  call.headers.add(http::HeaderId::Authority, target.authority);
  call.headers.add(http::HeaderId::Scheme, target.scheme);
  for (const auto& [name, value] : request.headers) call.headers.add(name, value);
  call.timeout = request.timeout;
  call.max_response_bytes = max_bytes_ = request.max_bytes;
  call_ = upstream::startHttpCall(*cluster, loop, std::move(call), *this);
}

void FetchCall::onCallResponse(upstream::HttpCallResponse response) {
  proxy_wasm::FetchAnswer answer{.status = statusOf(response.headers)};
  for (const auto& entry : response.headers) answer.headers.emplace_back(entry.name, entry.value);
  answer.body = asText(response.body);
  ended_(*this, std::move(answer));
}

void FetchCall::onCallFailure(http::ResetReason reason) {
  const bool too_large = reason == http::ResetReason::Overflow;
  proxy_wasm::FetchAnswer answer{.too_large = too_large};
  answer.reason = too_large ? fmt::format("the answer has more than {} bytes", max_bytes_) : "the answer broke off";
  ended_(*this, std::move(answer));
}

}  // namespace weir::server
