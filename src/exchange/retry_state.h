// Whether a request that failed is tried again, and when: a route's retry policy and the request's own instructions
// (x-envoy-retry-on and its kin), as far as they have come with this request. As Envoy's retry state.
//
// Pure but for the place that a retry takes among the cluster's: it arms no timer and sends nothing. One per request,
// owned by its Exchange; most requests have none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "http/header_map.h"
#include "route/retry_policy.h"

namespace weir::exchange {

// How many retries may be under way to a cluster at once: its circuit breaker.
class RetryLimit {
 public:
  virtual bool takeRetry() = 0;  // False: no room, and nothing was taken.
  virtual void giveRetryBack() = 0;

 protected:
  ~RetryLimit() = default;
};

class RetryState {
 public:
  enum class Failure : uint8_t {
    Connect,  // There was no connection.
    Reset,    // The stream broke, or a try took too long.
    RefusedStream,
    Overflow,  // A circuit breaker of the cluster: trying again would make it worse.
  };
  enum class Verdict : uint8_t {
    No,
    Retry,          // After `delay`.
    LimitExceeded,  // It would be tried again, but num_retries have been.
    NoRoom,         // It would be tried again, but the cluster has too many retries under way.
  };
  struct Decision {
    Verdict verdict = Verdict::No;
    base::Duration delay{};
    bool rate_limited = false;  // The delay is what the response asked for.
  };

  // Null: neither policy (null: none) nor request asks for retries. The request's instructions are read, not removed.
  // policy and limit must outlive what is created.
  static std::unique_ptr<RetryState> create(const route::CompiledRetryPolicy* policy, const http::HeaderMap& request,
                                            RetryLimit& limit, base::Random& random);
  ~RetryState();
  RetryState(const RetryState&) = delete;
  RetryState& operator=(const RetryState&) = delete;

  // Whether anything could lead to a retry: then the request's body must be kept.
  bool enabled() const { return on_ != 0; }
  // Each call decides on the end of one try. request_started: a byte of the request has been sent, in any try so far.
  Decision onResponse(const http::HeaderMap& response, const http::HeaderMap& request, base::WallTime now);
  Decision onFailure(Failure failure, bool request_started);
  // Whether the last decision but one was a retry: with a No now, that retry has succeeded.
  bool retried() const { return retried_; }

 private:
  enum class Wish : uint8_t { No, WithBackOff, AtOnce };

  RetryState(const route::CompiledRetryPolicy* policy, const http::HeaderMap& request, RetryLimit& limit,
             base::Random& random);
  void readInstructions(const http::HeaderMap& request);
  Wish wishFor(const http::HeaderMap& response, const http::HeaderMap& request) const;
  bool hasRetriableHeader(const http::HeaderMap& response) const;
  bool hasRetriableGrpcStatus(const http::HeaderMap& response) const;
  std::optional<base::Duration> askedDelay(const http::HeaderMap& response, base::WallTime now) const;
  Decision decide(Wish wish, std::optional<base::Duration> asked);
  base::Duration nextBackOff();
  void releasePlace();

  const route::CompiledRetryPolicy* policy_;
  RetryLimit& limit_;
  base::Random& random_;
  uint32_t on_ = 0;
  uint64_t left_ = 1;
  std::vector<uint32_t> more_status_codes_;     // By x-envoy-retriable-status-codes.
  std::vector<std::string> more_header_names_;  // By x-envoy-retriable-header-names.
  uint64_t interval_ms_;
  uint64_t max_interval_ms_;
  bool holds_place_ = false;
  bool retried_ = false;
};

}  // namespace weir::exchange
