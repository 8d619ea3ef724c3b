// Operators about how long things took.
#include <array>

#include "format/tables.h"

namespace weir::format {
namespace {

using Kind = Operator::Kind;
using base::Duration;
using filter::UpstreamInfo;
using Since = std::optional<Duration>;

bool putMilliseconds(std::string& out, Since duration) {
  return duration && putNumber(out, std::chrono::duration_cast<std::chrono::milliseconds>(*duration).count());
}

Since between(Since from, Since to) { return from && to ? Since(*to - *from) : std::nullopt; }

Since upstream(const Entry& entry, Since UpstreamInfo::*which) {
  return entry.info.upstream ? *entry.info.upstream.*which : Since();
}

// As Envoy: a request that never reached the router's end has no such time.
Since requestReceived(const Entry& entry) { return entry.info.request_received; }

constexpr PlainRow kRows[] = {
    {"DURATION", Kind::Number,
     [](const Entry& e, std::string& out) { return putMilliseconds(out, e.info.finished.value_or(e.since_start)); }},
    {"REQUEST_DURATION", Kind::Number,
     [](const Entry& e, std::string& out) { return putMilliseconds(out, requestReceived(e)); }},
    {"REQUEST_TX_DURATION", Kind::Number,
     [](const Entry& e, std::string& out) { return putMilliseconds(out, upstream(e, &UpstreamInfo::request_ended)); }},
    {"RESPONSE_DURATION", Kind::Number,
     [](const Entry& e, std::string& out) { return putMilliseconds(out, e.info.response_started); }},
    {"RESPONSE_TX_DURATION", Kind::Number,
     [](const Entry& e, std::string& out) {
       return putMilliseconds(out, between(e.info.response_started, e.info.answer_ended));
     }},
    {"ROUNDTRIP_DURATION", Kind::Number, [](const Entry&, std::string&) { return false; }},  // QUIC only.
    {"DOWNSTREAM_HANDSHAKE_DURATION", Kind::Number,
     [](const Entry& e, std::string& out) {
       return e.info.connection != nullptr && putMilliseconds(out, e.info.connection->handshake);
     }},
    {"UPSTREAM_CONNECTION_POOL_READY_DURATION", Kind::Number,
     [](const Entry& e, std::string& out) { return putMilliseconds(out, upstream(e, &UpstreamInfo::pool_ready)); }},
};

using TimePoint = Since (*)(const Entry&);
struct NamedPoint {
  std::string_view name;
  TimePoint at;
};
constexpr std::array<NamedPoint, 12> kPoints{{
    {"DS_RX_BEG", [](const Entry&) { return Since(Duration::zero()); }},
    {"DS_RX_END", [](const Entry& e) { return e.info.request_received; }},
    {"US_CX_BEG", [](const Entry& e) { return upstream(e, &UpstreamInfo::connect_began); }},
    {"US_CX_END", [](const Entry& e) { return upstream(e, &UpstreamInfo::connect_ended); }},
    {"US_HS_END", [](const Entry& e) { return upstream(e, &UpstreamInfo::handshake_ended); }},
    {"US_TX_BEG", [](const Entry& e) { return upstream(e, &UpstreamInfo::request_began); }},
    {"US_TX_END", [](const Entry& e) { return upstream(e, &UpstreamInfo::request_ended); }},
    {"US_RX_BEG", [](const Entry& e) { return e.info.response_started; }},
    {"US_RX_BODY_BEG", [](const Entry& e) { return upstream(e, &UpstreamInfo::response_body_began); }},
    {"US_RX_END", [](const Entry& e) { return upstream(e, &UpstreamInfo::response_ended); }},
    {"DS_TX_BEG", [](const Entry& e) { return e.info.answer_began; }},
    {"DS_TX_END", [](const Entry& e) { return e.info.answer_ended; }},
}};

// Other names stand for points that filters set; none does here, so that they are never there.
TimePoint findPoint(std::string_view name) {
  for (const NamedPoint& point : kPoints) {
    if (point.name == name) return point.at;
  }
  return [](const Entry&) { return Since(); };
}

}  // namespace

std::span<const PlainRow> durationRows() { return kRows; }

// "START:END" or "START:END:PRECISION".
base::Result<Operator> createCommonDuration(const Command& command) {
  const std::string_view text = *command.parameter;
  const size_t first = text.find(':');
  if (first == std::string_view::npos) return refused("COMMON_DURATION requires two time points: START:END:PRECISION");
  const size_t second = text.find(':', first + 1);
  const std::string_view precision = second == std::string_view::npos ? "ms" : text.substr(second + 1);
  int64_t unit = 0;
  if (precision == "ms") unit = 1'000'000;
  if (precision == "us") unit = 1'000;
  if (precision == "ns") unit = 1;
  if (unit == 0) return refused("Invalid common duration precision: " + std::string(precision));
  const TimePoint from = findPoint(text.substr(0, first));
  const TimePoint to =
      findPoint(text.substr(first + 1, second == std::string_view::npos ? second : second - first - 1));
  return Operator{Kind::Number, [from, to, unit](const Entry& entry, std::string& out) {
                    const Since took = between(from(entry), to(entry));
                    return took && putNumber(out, took->count() / unit);
                  }};
}

}  // namespace weir::format
