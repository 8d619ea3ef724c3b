// When a request is tried again: a retry policy, compiled. Immutable; what it has come to with one request is
// exchange::RetryState's.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "route/matchers.h"
#include "route/spec.h"

namespace weir::route {

// Envoy's conditions, as bits.
enum RetryOn : uint32_t {
  kRetryOn5xx = 1u << 0,
  kRetryOnGatewayError = 1u << 1,
  kRetryOnReset = 1u << 2,
  kRetryOnResetBeforeRequest = 1u << 3,
  kRetryOnConnectFailure = 1u << 4,
  kRetryOnEnvoyRateLimited = 1u << 5,
  kRetryOnRetriable4xx = 1u << 6,
  kRetryOnRefusedStream = 1u << 7,
  kRetryOnRetriableStatusCodes = 1u << 8,
  kRetryOnRetriableHeaders = 1u << 9,
  kRetryOnHttp3PostConnectFailure = 1u << 10,  // Known, and never the case: there is no HTTP/3 towards upstreams.
  kRetryOnGrpcCancelled = 1u << 16,
  kRetryOnGrpcDeadlineExceeded = 1u << 17,
  kRetryOnGrpcInternal = 1u << 18,
  kRetryOnGrpcResourceExhausted = 1u << 19,
  kRetryOnGrpcUnavailable = 1u << 20,
};

// The conditions named in a comma-separated list; what is none is ignored, as Envoy does.
uint32_t parseRetryOn(std::string_view list);      // Those of x-envoy-retry-on.
uint32_t parseRetryGrpcOn(std::string_view list);  // Those of x-envoy-retry-grpc-on.

struct CompiledRetryPolicy {
  const RetryPolicy* policy = nullptr;
  uint32_t on = 0;
  std::vector<HeaderMatcher> retriable_headers;          // Of a response.
  std::vector<HeaderMatcher> retriable_request_headers;  // If there are any, one must match or nothing is retried.

  // policy must outlive what is created. Error (side Operator): a matcher that does not compile.
  static base::Result<CompiledRetryPolicy> create(const RetryPolicy& policy);
};

}  // namespace weir::route
