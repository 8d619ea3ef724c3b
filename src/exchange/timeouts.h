// How long a request may take: the route's timeouts, and what the request itself asks for. As Envoy's router.
//
// Zero means no limit throughout, as in Envoy.
#pragma once

#include <optional>

#include "base/clock.h"
#include "http/header_map.h"
#include "route/spec.h"

namespace weir::exchange {

struct Timeouts {
  base::Duration whole{};     // From the request's last byte to the response's.
  base::Duration try_{};      // From the same, or a later try's connection, to the try's response headers.
  base::Duration try_idle{};  // Between two signs of life of a try.
};

// Reads x-envoy-upstream-rq-timeout-ms and x-envoy-upstream-rq-per-try-timeout-ms, and grpc-timeout where
// max_grpc_timeout has it count; removes none. policy: null if there is none. A try's timeout that is no shorter than
// the whole is none. A route with max_stream_duration has no timeout but what the request asks for.
Timeouts chooseTimeouts(const route::RouteAction& action, const route::RetryPolicy* policy,
                        const http::HeaderMap& request, bool grpc);
// What the upstream is told that it has got. spent: since the request's last byte. nullopt: no limit.
std::optional<std::chrono::milliseconds> timeLeft(const Timeouts& timeouts, base::Duration spent);

// gRPC over HTTP/2, "Timeout": at most eight digits and a unit. nullopt: absent or none. Rounded up to a millisecond;
// zero stays zero.
std::optional<base::Duration> grpcTimeout(const http::HeaderMap& request);
// In the finest unit of a millisecond or more that holds it in eight digits.
void setGrpcTimeout(base::Duration timeout, http::HeaderMap& request);

}  // namespace weir::exchange
