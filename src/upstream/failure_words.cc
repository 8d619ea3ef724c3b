#include "upstream/failure_words.h"

#include <fmt/core.h>

namespace weir::upstream {
namespace {

std::string underscored(std::string_view words) {
  std::string out(words);
  for (char& c : out) {
    if (c == ' ') c = '_';
  }
  return out;
}

std::string before(std::string_view reason, std::string_view detail) {
  return fmt::format("upstream_reset_before_response_started{{{}{}{}}}", underscored(reason), detail.empty() ? "" : "|",
                     underscored(detail));
}

}  // namespace

std::string failureText(std::string_view reason, bool is_retry) {
  return fmt::format("upstream connect error or disconnect/reset before headers. {}reset reason: {}",
                     is_retry ? "retried and the latest " : "", reason);
}

std::string_view reasonOf(AcquireFailure why) {
  switch (why) {
    case AcquireFailure::NoEndpoint: return "";
    case AcquireFailure::Overflow: return "overflow";
    case AcquireFailure::ConnectFailed: return "remote connection failure";
    case AcquireFailure::ConnectTimeout: return "connection timeout";
  }
  return "";
}

// As Envoy: a timeout is ours and no failure of the transport.
std::string failureDetails(AcquireFailure why, std::string_view detail) {
  if (why == AcquireFailure::NoEndpoint) return "no_healthy_upstream";
  return before(reasonOf(why), why == AcquireFailure::ConnectFailed ? detail : "");
}

// As Envoy: that the connection ended, or the peer's reset, says it all.
std::string resetDetails(http::ResetReason reason, std::string_view detail, bool answer_began) {
  if (answer_began) return fmt::format("upstream_reset_after_response_started{{{}}}", underscored(http::name(reason)));
  switch (reason) {
    case http::ResetReason::ConnectionTermination:
    case http::ResetReason::RemoteReset:
    case http::ResetReason::RefusedStream: return before(http::name(reason), "");
    default: return before(http::name(reason), detail);
  }
}

}  // namespace weir::upstream
