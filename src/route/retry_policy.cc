#include "route/retry_policy.h"

#include <span>

namespace weir::route {
namespace {

struct Condition {
  std::string_view name;
  uint32_t bit;
};

constexpr Condition kHttp[] = {{"5xx", kRetryOn5xx},
                               {"gateway-error", kRetryOnGatewayError},
                               {"reset", kRetryOnReset},
                               {"reset-before-request", kRetryOnResetBeforeRequest},
                               {"connect-failure", kRetryOnConnectFailure},
                               {"envoy-ratelimited", kRetryOnEnvoyRateLimited},
                               {"retriable-4xx", kRetryOnRetriable4xx},
                               {"refused-stream", kRetryOnRefusedStream},
                               {"retriable-status-codes", kRetryOnRetriableStatusCodes},
                               {"retriable-headers", kRetryOnRetriableHeaders},
                               {"http3-post-connect-failure", kRetryOnHttp3PostConnectFailure}};

constexpr Condition kGrpc[] = {{"cancelled", kRetryOnGrpcCancelled},
                               {"deadline-exceeded", kRetryOnGrpcDeadlineExceeded},
                               {"internal", kRetryOnGrpcInternal},
                               {"resource-exhausted", kRetryOnGrpcResourceExhausted},
                               {"unavailable", kRetryOnGrpcUnavailable}};

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

uint32_t parse(std::string_view list, std::span<const Condition> known) {
  uint32_t on = 0;
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string_view name = trim(list.substr(0, comma));
    for (const Condition& condition : known) {
      if (condition.name == name) on |= condition.bit;
    }
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return on;
}

base::Result<void> compile(const std::vector<HeaderMatch>& specs, std::vector<HeaderMatcher>& compiled) {
  for (const HeaderMatch& spec : specs) {
    auto matcher = HeaderMatcher::create(spec);
    if (!matcher.ok()) return std::move(matcher).error();
    compiled.push_back(*std::move(matcher));
  }
  return base::Ok{};
}

}  // namespace

uint32_t parseRetryOn(std::string_view list) { return parse(list, kHttp); }
uint32_t parseRetryGrpcOn(std::string_view list) { return parse(list, kGrpc); }

base::Result<CompiledRetryPolicy> CompiledRetryPolicy::create(const RetryPolicy& policy) {
  CompiledRetryPolicy compiled;
  compiled.policy = &policy;
  compiled.on = parseRetryOn(policy.retry_on) | parseRetryGrpcOn(policy.retry_on);
  if (auto done = compile(policy.retriable_headers, compiled.retriable_headers); !done.ok()) {
    return std::move(done).error();
  }
  if (auto done = compile(policy.retriable_request_headers, compiled.retriable_request_headers); !done.ok()) {
    return std::move(done).error();
  }
  return compiled;
}

}  // namespace weir::route
