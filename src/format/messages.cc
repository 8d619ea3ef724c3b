// Operators about the messages of a stream: codes, bytes, flags and names.
#include <algorithm>
#include <array>

#include "format/flags.h"
#include "format/tables.h"

namespace weir::format {
namespace {

using Kind = Operator::Kind;
using filter::StreamInfo;
using filter::UpstreamInfo;

struct FlagNames {
  std::string_view letters;
  std::string_view words;
};
// In the order of filter::ResponseFlag.
constexpr std::array<FlagNames, 30> kFlags{{
    {"LH", "FailedLocalHealthCheck"},
    {"UH", "NoHealthyUpstream"},
    {"UT", "UpstreamRequestTimeout"},
    {"LR", "LocalReset"},
    {"UR", "UpstreamRemoteReset"},
    {"UF", "UpstreamConnectionFailure"},
    {"UC", "UpstreamConnectionTermination"},
    {"UO", "UpstreamOverflow"},
    {"NR", "NoRouteFound"},
    {"DI", "DelayInjected"},
    {"FI", "FaultInjected"},
    {"RL", "RateLimited"},
    {"UAEX", "UnauthorizedExternalService"},
    {"RLSE", "RateLimitServiceError"},
    {"DC", "DownstreamConnectionTermination"},
    {"URX", "UpstreamRetryLimitExceeded"},
    {"SI", "StreamIdleTimeout"},
    {"IH", "InvalidEnvoyRequestHeaders"},
    {"DPE", "DownstreamProtocolError"},
    {"UMSDR", "UpstreamMaxStreamDurationReached"},
    {"RFCF", "ResponseFromCacheFilter"},
    {"NFCF", "NoFilterConfigFound"},
    {"DT", "DurationTimeout"},
    {"UPE", "UpstreamProtocolError"},
    {"NC", "NoClusterFound"},
    {"OM", "OverloadManagerTerminated"},
    {"DF", "DnsResolutionFailed"},
    {"DO", "DropOverload"},
    {"DR", "DownstreamRemoteReset"},
    {"UDO", "UnconditionalDropOverload"},
}};

bool putFlags(uint64_t flags, std::string_view FlagNames::*form, std::string& out) {
  if (flags == 0) return put(out, "-");
  bool first = true;
  for (size_t i = 0; i < kFlags.size(); ++i) {
    if ((flags >> i & 1) == 0) continue;
    if (!first) out += ',';
    first = false;
    out += kFlags[i].*form;
  }
  return true;
}

uint64_t wire(const Entry& entry, uint64_t filter::WireBytes::*which) {
  return entry.info.upstream ? entry.info.upstream->wire.*which : 0;
}

bool putReplyBody(const Entry& entry, std::string& out) { return put(out, entry.local_reply_body); }

constexpr PlainRow kRows[] = {
    {"PROTOCOL", Kind::Text,
     [](const Entry& e, std::string& out) { return e.info.is_http && put(out, http::name(e.info.protocol)); }},
    {"UPSTREAM_PROTOCOL", Kind::Text,
     [](const Entry& e, std::string& out) {
       return e.info.upstream && e.info.upstream->protocol && put(out, http::name(*e.info.upstream->protocol));
     }},
    {"RESPONSE_CODE", Kind::Number,
     [](const Entry& e, std::string& out) { return putNumber(out, e.info.response_code); }},
    {"CONNECTION_TERMINATION_DETAILS", Kind::Text,
     [](const Entry& e, std::string& out) {
       return e.info.connection != nullptr && putKnown(out, e.info.connection->termination_details);
     }},
    {"RESPONSE_FLAGS", Kind::Text,
     [](const Entry& e, std::string& out) { return putFlags(e.info.response_flags, &FlagNames::letters, out); }},
    {"RESPONSE_FLAGS_LONG", Kind::Text,
     [](const Entry& e, std::string& out) { return putFlags(e.info.response_flags, &FlagNames::words, out); }},
    {"BYTES_RECEIVED", Kind::Number,
     [](const Entry& e, std::string& out) { return putNumber(out, e.info.request_body_bytes); }},
    {"BYTES_SENT", Kind::Number,
     [](const Entry& e, std::string& out) { return putNumber(out, e.info.response_body_bytes); }},
    // As Envoy: counted for QUIC only.
    {"BYTES_RETRANSMITTED", Kind::Number, [](const Entry&, std::string& out) { return put(out, "0"); }},
    {"PACKETS_RETRANSMITTED", Kind::Number, [](const Entry&, std::string& out) { return put(out, "0"); }},
    {"REQUEST_HEADERS_BYTES", Kind::Number,
     [](const Entry& e, std::string& out) { return putNumber(out, e.request != nullptr ? e.request->bytes() : 0); }},
    {"RESPONSE_HEADERS_BYTES", Kind::Number,
     [](const Entry& e, std::string& out) { return putNumber(out, e.response != nullptr ? e.response->bytes() : 0); }},
    {"RESPONSE_TRAILERS_BYTES", Kind::Number,
     [](const Entry& e, std::string& out) { return putNumber(out, e.trailers != nullptr ? e.trailers->bytes() : 0); }},
    {"DOWNSTREAM_WIRE_BYTES_SENT", Kind::Number,
     [](const Entry& e, std::string& out) { return putNumber(out, e.info.wire.sent); }},
    {"DOWNSTREAM_WIRE_BYTES_RECEIVED", Kind::Number,
     [](const Entry& e, std::string& out) { return putNumber(out, e.info.wire.received); }},
    {"DOWNSTREAM_HEADER_BYTES_SENT", Kind::Number,
     [](const Entry& e, std::string& out) { return putNumber(out, e.info.wire.header_sent); }},
    {"DOWNSTREAM_HEADER_BYTES_RECEIVED", Kind::Number,
     [](const Entry& e, std::string& out) { return putNumber(out, e.info.wire.header_received); }},
    {"UPSTREAM_WIRE_BYTES_SENT", Kind::Number,
     [](const Entry& e, std::string& out) { return putNumber(out, wire(e, &filter::WireBytes::sent)); }},
    {"UPSTREAM_WIRE_BYTES_RECEIVED", Kind::Number,
     [](const Entry& e, std::string& out) { return putNumber(out, wire(e, &filter::WireBytes::received)); }},
    {"UPSTREAM_HEADER_BYTES_SENT", Kind::Number,
     [](const Entry& e, std::string& out) { return putNumber(out, wire(e, &filter::WireBytes::header_sent)); }},
    {"UPSTREAM_HEADER_BYTES_RECEIVED", Kind::Number,
     [](const Entry& e, std::string& out) { return putNumber(out, wire(e, &filter::WireBytes::header_received)); }},
    {"DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT", Kind::Number,
     [](const Entry& e, std::string& out) { return putNumber(out, e.info.wire.decompressed_header_sent); }},
    {"DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED", Kind::Number,
     [](const Entry& e, std::string& out) { return putNumber(out, e.info.wire.decompressed_header_received); }},
    {"UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT", Kind::Number,
     [](const Entry& e, std::string& out) {
       return putNumber(out, wire(e, &filter::WireBytes::decompressed_header_sent));
     }},
    {"UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED", Kind::Number,
     [](const Entry& e, std::string& out) {
       return putNumber(out, wire(e, &filter::WireBytes::decompressed_header_received));
     }},
    {"UPSTREAM_REQUEST_ATTEMPT_COUNT", Kind::Number,
     [](const Entry& e, std::string& out) { return putNumber(out, e.info.upstream ? e.info.upstream->attempts : 0u); }},
    {"ROUTE_NAME", Kind::Text, [](const Entry& e, std::string& out) { return putKnown(out, e.info.route_name); }},
    // Virtual clusters are refused in the configuration: no request is in one.
    {"VIRTUAL_CLUSTER_NAME", Kind::Text, [](const Entry&, std::string&) { return false; }},
    {"LOCAL_REPLY_BODY", Kind::Text, putReplyBody},
    {"ACCESS_LOG_TYPE", Kind::Text, [](const Entry& e, std::string& out) { return put(out, name(e.type)); }},
    // Nothing here sets any.
    {"CUSTOM_FLAGS", Kind::Text, [](const Entry&, std::string& out) { return put(out, ""); }},
    // There is no tracing: as Envoy without a tracer.
    {"TRACE_ID", Kind::Text, [](const Entry&, std::string&) { return false; }},
    {"SPAN_ID", Kind::Text, [](const Entry&, std::string&) { return false; }},
    {"STREAM_ID", Kind::Text,
     [](const Entry& e, std::string& out) {
       if (!e.info.is_http) return putKnown(out, e.info.stream_id);
       return e.request != nullptr && putKnown(out, e.request->getOr(http::HeaderId::RequestId, ""));
     }},
    {"UNIQUE_ID", Kind::Text,
     [](const Entry& e, std::string& out) { return e.random != nullptr && put(out, base::uuid4(*e.random)); }},
};

}  // namespace

std::span<const PlainRow> messageRows() { return kRows; }

uint64_t flagByLetters(std::string_view letters) {
  for (size_t i = 0; i < kFlags.size(); ++i) {
    if (kFlags[i].letters == letters) return uint64_t{1} << i;
  }
  return 0;
}

std::string_view name(LogType type) {
  switch (type) {
    case LogType::NotSet: return "NotSet";
    case LogType::TcpUpstreamConnected: return "TcpUpstreamConnected";
    case LogType::TcpPeriodic: return "TcpPeriodic";
    case LogType::TcpConnectionEnd: return "TcpConnectionEnd";
    case LogType::DownstreamStart: return "DownstreamStart";
    case LogType::DownstreamPeriodic: return "DownstreamPeriodic";
    case LogType::DownstreamEnd: return "DownstreamEnd";
    case LogType::UpstreamPoolReady: return "UpstreamPoolReady";
    case LogType::UpstreamPeriodic: return "UpstreamPeriodic";
    case LogType::UpstreamEnd: return "UpstreamEnd";
    case LogType::DownstreamTunnelSuccessfullyEstablished: return "DownstreamTunnelSuccessfullyEstablished";
    case LogType::UdpTunnelUpstreamConnected: return "UdpTunnelUpstreamConnected";
    case LogType::UdpPeriodic: return "UdpPeriodic";
    case LogType::UdpSessionEnd: return "UdpSessionEnd";
    case LogType::TcpConnectionStart: return "TcpConnectionStart";
  }
  return "";
}

}  // namespace weir::format
