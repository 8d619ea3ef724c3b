#include "exchange/timeouts.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "http/grpc.h"

namespace weir::exchange {
namespace {

using http::HeaderId;
using std::chrono::milliseconds;

constexpr base::Duration kDefaultTimeout = std::chrono::seconds(15);
// More is no timeout that anybody means; it keeps sums of times from overflowing.
constexpr uint64_t kMaxMilliseconds = uint64_t{1} << 42;
constexpr int64_t kMaxHours = kMaxMilliseconds / (3600 * 1000);

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<base::Duration> asked(const http::HeaderMap& request, HeaderId id) {
  const auto text = request.get(id);
  const auto ms = text ? number(*text) : std::nullopt;
  if (!ms) return std::nullopt;
  return milliseconds(std::min(*ms, kMaxMilliseconds));
}

// max_grpc_timeout's: without a grpc-timeout the request asks for no limit.
base::Duration byGrpc(const route::RouteAction& action, const http::HeaderMap& request) {
  base::Duration timeout = grpcTimeout(request).value_or(base::Duration::zero());
  const base::Duration offset = action.grpc_timeout_offset.value_or(base::Duration::zero());
  if (offset < timeout) timeout -= offset;  // What would become nothing would mean no limit.
  const base::Duration most = *action.max_grpc_timeout;
  const bool over = timeout == base::Duration::zero() || timeout > most;
  return most > base::Duration::zero() && over ? most : timeout;
}

int64_t toMs(base::Duration duration) { return std::chrono::duration_cast<milliseconds>(duration).count(); }

}  // namespace

Timeouts chooseTimeouts(const route::RouteAction& action, const route::RetryPolicy* policy,
                        const http::HeaderMap& request, bool grpc) {
  Timeouts chosen;
  if (!action.max_stream_duration) {
    const bool by_grpc = grpc && action.max_grpc_timeout;
    chosen.whole = by_grpc ? byGrpc(action, request) : action.timeout.value_or(kDefaultTimeout);
  }
  if (policy != nullptr) {
    chosen.try_ = policy->per_try_timeout.value_or(base::Duration::zero());
    chosen.try_idle = policy->per_try_idle_timeout.value_or(base::Duration::zero());
  }
  chosen.whole = asked(request, HeaderId::EnvoyUpstreamRqTimeoutMs).value_or(chosen.whole);
  chosen.try_ = asked(request, HeaderId::EnvoyUpstreamRqPerTryTimeoutMs).value_or(chosen.try_);
  if (chosen.whole > base::Duration::zero() && chosen.try_ >= chosen.whole) chosen.try_ = {};
  return chosen;
}

std::optional<milliseconds> timeLeft(const Timeouts& timeouts, base::Duration spent) {
  int64_t expected = toMs(timeouts.try_);
  const int64_t whole = toMs(timeouts.whole);
  if (expected == 0) expected = whole;
  if (expected == 0) return std::nullopt;
  if (whole > 0) {
    // Out of time; but nought would mean without end.
    const int64_t left = std::max<int64_t>(1, whole - toMs(spent));
    expected = std::min(expected, left);
  }
  return milliseconds(expected);
}

std::optional<base::Duration> grpcTimeout(const http::HeaderMap& request) {
  const std::string_view text = request.getOr(HeaderId::GrpcTimeout, "");
  if (text.size() < 2 || text.size() > 9) return std::nullopt;
  const auto value = number(text.substr(0, text.size() - 1));
  if (!value) return std::nullopt;
  const auto count = static_cast<int64_t>(*value);
  switch (text.back()) {
    case 'H': return std::chrono::hours(std::min(count, kMaxHours));
    case 'M': return std::chrono::minutes(count);
    case 'S': return std::chrono::seconds(count);
    case 'm': return milliseconds(count);
    case 'u': return milliseconds((count + 999) / 1000);
    case 'n': return milliseconds((count + 999'999) / 1'000'000);
    default: return std::nullopt;
  }
}

void setGrpcTimeout(base::Duration timeout, http::HeaderMap& request) {
  request.set(HeaderId::GrpcTimeout, http::grpcTimeout(timeout));
}

}  // namespace weir::exchange
