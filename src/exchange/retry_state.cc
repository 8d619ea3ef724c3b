#include "exchange/retry_state.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "http/status.h"

namespace weir::exchange {
namespace {

using http::HeaderId;
using std::chrono::milliseconds;

constexpr uint64_t kDefaultBaseMs = 25;
constexpr uint64_t kMaxIntervalFactor = 10;
// More codes or names in one request header are not read.
constexpr size_t kMaxInstructions = 64;

std::optional<uint64_t> number(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <typename Visit>
void forEachElement(std::string_view list, Visit visit) {
  for (size_t count = 0; !list.empty() && count < kMaxInstructions; ++count) {
    const size_t comma = list.find(',');
    std::string_view element = list.substr(0, comma);
    while (!element.empty() && element.front() == ' ') element.remove_prefix(1);
    while (!element.empty() && element.back() == ' ') element.remove_suffix(1);
    if (!element.empty()) visit(element);
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

uint64_t toMs(base::Duration duration) {
  return static_cast<uint64_t>(std::max<int64_t>(1, std::chrono::duration_cast<milliseconds>(duration).count()));
}

}  // namespace

std::unique_ptr<RetryState> RetryState::create(const route::CompiledRetryPolicy* policy, const http::HeaderMap& request,
                                               RetryLimit& limit, base::Random& random) {
  const bool by_policy = policy != nullptr && policy->on != 0;
  if (!by_policy && !request.has(HeaderId::EnvoyRetryOn) && !request.has(HeaderId::EnvoyRetryGrpcOn)) return nullptr;
  return std::unique_ptr<RetryState>(new RetryState(policy, request, limit, random));
}

RetryState::RetryState(const route::CompiledRetryPolicy* policy, const http::HeaderMap& request, RetryLimit& limit,
                       base::Random& random)
    : policy_(policy),
      limit_(limit),
      random_(random),
      interval_ms_(kDefaultBaseMs),
      max_interval_ms_(kDefaultBaseMs * kMaxIntervalFactor) {
  if (policy_ != nullptr) {
    on_ = policy_->on;
    left_ = policy_->policy->num_retries;
    interval_ms_ = toMs(policy_->policy->base_interval);
    const auto& max = policy_->policy->max_interval;
    max_interval_ms_ = max ? toMs(*max) : interval_ms_ * kMaxIntervalFactor;
  }
  readInstructions(request);
}

RetryState::~RetryState() { releasePlace(); }

// As Envoy: the request adds conditions to those of the policy, and its number of retries takes the policy's place.
void RetryState::readInstructions(const http::HeaderMap& request) {
  on_ |= route::parseRetryOn(request.getOr(HeaderId::EnvoyRetryOn, ""));
  on_ |= route::parseRetryGrpcOn(request.getOr(HeaderId::EnvoyRetryGrpcOn, ""));
  if (policy_ != nullptr && !policy_->retriable_request_headers.empty()) {
    const auto& wanted = policy_->retriable_request_headers;
    const auto matches = [&](const route::HeaderMatcher& matcher) { return matcher.matches(request); };
    if (std::none_of(wanted.begin(), wanted.end(), matches)) on_ = 0;
  }
  if (on_ == 0) return;
  if (const auto max = request.get(HeaderId::EnvoyMaxRetries)) left_ = number(*max).value_or(left_);
  forEachElement(request.get("x-envoy-retriable-status-codes").value_or(""), [this](std::string_view element) {
    if (const auto code = number(element)) more_status_codes_.push_back(static_cast<uint32_t>(*code));
  });
  forEachElement(request.get("x-envoy-retriable-header-names").value_or(""),
                 [this](std::string_view element) { more_header_names_.emplace_back(element); });
}

RetryState::Decision RetryState::onResponse(const http::HeaderMap& response, const http::HeaderMap& request,
                                            base::WallTime now) {
  const Wish wish = wishFor(response, request);
  return decide(wish, wish == Wish::WithBackOff ? askedDelay(response, now) : std::nullopt);
}

RetryState::Wish RetryState::wishFor(const http::HeaderMap& response, const http::HeaderMap& request) const {
  if (on_ == 0) return Wish::No;
  const auto has = [this](uint32_t condition) { return (on_ & condition) != 0; };
  // Another proxy's limit: only whoever expects it tries again.
  if (response.get("x-envoy-ratelimited")) {
    return has(route::kRetryOnEnvoyRateLimited) ? Wish::WithBackOff : Wish::No;
  }
  const auto status = static_cast<uint32_t>(http::parseStatus(response.getOr(HeaderId::Status, "")).value_or(0));
  if (has(route::kRetryOn5xx) && status >= 500 && status < 600) return Wish::WithBackOff;
  if (has(route::kRetryOnGatewayError) && status >= 502 && status <= 504) return Wish::WithBackOff;
  if (has(route::kRetryOnRetriable4xx) && status == 409) return Wish::WithBackOff;
  if (has(route::kRetryOnRetriableStatusCodes)) {
    const auto names = [status](const std::vector<uint32_t>& codes) {
      return std::find(codes.begin(), codes.end(), status) != codes.end();
    };
    if (names(more_status_codes_) || (policy_ != nullptr && names(policy_->policy->retriable_status_codes))) {
      if (status != 425) return Wish::WithBackOff;
      // RFC 8470 5.2: too early for us, not for the client: at once. A client's own early data is the client's affair.
      if (!request.get("early-data")) return Wish::AtOnce;
    }
  }
  if (has(route::kRetryOnRetriableHeaders) && hasRetriableHeader(response)) return Wish::WithBackOff;
  return hasRetriableGrpcStatus(response) ? Wish::WithBackOff : Wish::No;
}

bool RetryState::hasRetriableHeader(const http::HeaderMap& response) const {
  for (const std::string& name : more_header_names_) {
    if (response.get(name)) return true;
  }
  if (policy_ == nullptr) return false;
  const auto& matchers = policy_->retriable_headers;
  return std::any_of(matchers.begin(), matchers.end(), [&](const auto& matcher) { return matcher.matches(response); });
}

bool RetryState::hasRetriableGrpcStatus(const http::HeaderMap& response) const {
  const auto status = number(response.getOr(HeaderId::GrpcStatus, ""));
  if (!status) return false;
  switch (*status) {
    case 1: return (on_ & route::kRetryOnGrpcCancelled) != 0;
    case 4: return (on_ & route::kRetryOnGrpcDeadlineExceeded) != 0;
    case 8: return (on_ & route::kRetryOnGrpcResourceExhausted) != 0;
    case 13: return (on_ & route::kRetryOnGrpcInternal) != 0;
    case 14: return (on_ & route::kRetryOnGrpcUnavailable) != 0;
    default: return false;
  }
}

std::optional<base::Duration> RetryState::askedDelay(const http::HeaderMap& response, base::WallTime now) const {
  if (policy_ == nullptr) return std::nullopt;
  for (const route::RetryPolicy::ResetHeader& header : policy_->policy->reset_headers) {
    const auto value = number(response.get(header.name).value_or(""));
    if (!value) continue;
    uint64_t seconds = *value;
    if (header.unix_timestamp) {
      const auto today = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
      if (seconds <= static_cast<uint64_t>(today)) continue;
      seconds -= static_cast<uint64_t>(today);
    }
    const auto most = std::chrono::duration_cast<std::chrono::seconds>(policy_->policy->reset_max_interval).count();
    if (seconds > 0 && seconds <= static_cast<uint64_t>(most)) return std::chrono::seconds(seconds);
  }
  return std::nullopt;
}

RetryState::Decision RetryState::onFailure(Failure failure, bool request_started) {
  const auto has = [this](uint32_t conditions) { return (on_ & conditions) != 0; };
  if (failure == Failure::Overflow) return decide(Wish::No, std::nullopt);
  const bool again = (has(route::kRetryOnResetBeforeRequest) && !request_started) ||
                     // As Envoy: a reset counts as the 5xx that the client would get for it.
                     has(route::kRetryOnReset | route::kRetryOn5xx | route::kRetryOnGatewayError) ||
                     (has(route::kRetryOnRefusedStream) && failure == Failure::RefusedStream) ||
                     (has(route::kRetryOnConnectFailure) && failure == Failure::Connect);
  return decide(again ? Wish::WithBackOff : Wish::No, std::nullopt);
}

RetryState::Decision RetryState::decide(Wish wish, std::optional<base::Duration> asked) {
  retried_ = holds_place_;
  releasePlace();
  if (wish == Wish::No) return {};
  if (left_ == 0) return {Verdict::LimitExceeded};
  --left_;
  if (!limit_.takeRetry()) return {Verdict::NoRoom};
  holds_place_ = true;
  if (wish == Wish::AtOnce) return {Verdict::Retry};
  if (!asked) return {Verdict::Retry, nextBackOff()};
  // Not before the time that was asked for, and not all at once then.
  const uint64_t ms = toMs(*asked);
  return {Verdict::Retry, milliseconds(ms + random_.below(std::max<uint64_t>(1, ms / 2))), true};
}

// Full jitter under an interval that doubles.
base::Duration RetryState::nextBackOff() {
  const uint64_t interval = interval_ms_;
  interval_ms_ = interval_ms_ < max_interval_ms_ / 2 ? interval_ms_ * 2 : max_interval_ms_;
  return milliseconds(random_.below(std::max<uint64_t>(1, interval)));
}

void RetryState::releasePlace() {
  if (std::exchange(holds_place_, false)) limit_.giveRetryBack();
}

}  // namespace weir::exchange
