#include "exchange/request_headers.h"

#include <algorithm>
#include <array>

#include "base/random.h"
#include "exchange/client_certificate.h"
#include "http/date.h"
#include "http/name_set.h"

namespace weir::exchange {
namespace {

using http::HeaderId;
using http::HeaderMap;

// Headers by which a caller inside steers the proxy; from outside they are removed. Nobody counts as inside: as with
// Envoy, that takes an internal_address_config.
constexpr std::array<std::string_view, 14> kInternalHeaders{"x-envoy-retriable-status-codes",
                                                            "x-envoy-retriable-header-names",
                                                            "x-envoy-retry-on",
                                                            "x-envoy-retry-grpc-on",
                                                            "x-envoy-max-retries",
                                                            "x-envoy-upstream-alt-stat-name",
                                                            "x-envoy-upstream-rq-timeout-ms",
                                                            "x-envoy-upstream-rq-per-try-timeout-ms",
                                                            "x-envoy-upstream-rq-timeout-alt-response",
                                                            "x-envoy-expected-rq-timeout-ms",
                                                            "x-envoy-force-trace",
                                                            "x-envoy-ip-tags",
                                                            "x-envoy-original-url",
                                                            "x-envoy-hedge-on-per-try-timeout"};
constexpr std::array<std::string_view, 3> kEdgeHeaders{
    "x-envoy-decorator-operation", "x-envoy-downstream-service-cluster", "x-envoy-downstream-service-node"};

// What the router itself takes as instructions; they never go upstream.
constexpr std::array<std::string_view, 3> kTimeoutInstructions{
    "x-envoy-upstream-alt-stat-name", "x-envoy-upstream-rq-timeout-ms", "x-envoy-upstream-rq-timeout-alt-response"};
constexpr std::array<std::string_view, 7> kRetryInstructions{"x-envoy-retriable-status-codes",
                                                             "x-envoy-retriable-header-names",
                                                             "x-envoy-retry-on",
                                                             "x-envoy-retry-grpc-on",
                                                             "x-envoy-max-retries",
                                                             "x-envoy-upstream-rq-per-try-timeout-ms",
                                                             "x-envoy-hedge-on-per-try-timeout"};

constexpr http::NameSet kInternalSet(kInternalHeaders);
constexpr http::NameSet kEdgeSet(kEdgeHeaders);
constexpr http::NameSet kTimeoutSet(kTimeoutInstructions);
constexpr http::NameSet kRetrySet(kRetryInstructions);

// Hardly any request has one of them: that is what is fast.
template <size_t kCount>
void removeInstructions(const http::NameSet<kCount>& names, HeaderMap& request) {
  const bool any = std::any_of(request.begin(), request.end(), [&names](const HeaderMap::Entry& entry) {
    return entry.name.starts_with("x-envoy-") && names.has(entry.name);
  });
  if (!any) return;
  for (size_t i = 0; i < kCount; ++i) request.remove(names[i]);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The address that stands `hops` from the right in x-forwarded-for; nullopt if there is none or it is no address.
std::optional<net::Address> addressFromXff(std::string_view xff, uint32_t hops) {
  if (xff.empty()) return std::nullopt;
  for (;;) {
    const size_t comma = xff.rfind(',');
    const std::string_view last = trim(comma == std::string_view::npos ? xff : xff.substr(comma + 1));
    if (hops == 0) {
      const auto address = net::Address::parseIp(last, 0);
      return address.ok() ? std::optional(*address) : std::nullopt;
    }
    if (comma == std::string_view::npos) return std::nullopt;
    xff = xff.substr(0, comma);
    --hops;
  }
}

// Takes the next element off a comma-separated list; empty elements come as empty views.
std::string_view nextElement(std::string_view& list) {
  const size_t comma = list.find(',');
  const std::string_view element = trim(list.substr(0, comma));
  list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  return element;
}

// Nobody may have our own forwarding data, or the target, removed by naming it in Connection; TE is judged by itself.
bool removableByConnection(std::string_view name) {
  if (name.empty() || name.front() == ':') return false;
  switch (http::wellKnownId(name)) {
    case HeaderId::ForwardedFor:
    case HeaderId::ForwardedProto:
    case HeaderId::ForwardedHost:
    case HeaderId::Host:
    case HeaderId::ContentLength:
    case HeaderId::Te: return false;
    default: return true;
  }
}

// RFC 9110 7.6.1: connection-specific fields, and those that Connection names, are not forwarded.
void removeHopByHop(HeaderMap& headers, bool keep_upgrade) {
  headers.remove(HeaderId::KeepAlive);
  headers.remove(HeaderId::ProxyConnection);
  headers.remove(HeaderId::TransferEncoding);
  if (keep_upgrade) return;
  if (const auto connection = headers.get(HeaderId::Connection)) {
    std::string_view rest = *connection;
    while (!rest.empty()) {
      const std::string_view name = nextElement(rest);
      if (removableByConnection(name)) headers.remove(name);
    }
    headers.remove(HeaderId::Connection);
  }
  headers.remove(HeaderId::Upgrade);
}

// RFC 9110 10.1.4: of TE only "trailers" is of use to the next hop.
void keepOnlyTeTrailers(HeaderMap& headers) {
  const auto te = headers.get(HeaderId::Te);
  if (!te) return;
  std::string_view rest = *te;
  while (!rest.empty()) {
    const std::string_view coding = nextElement(rest);
    if (http::equalsIgnoreCase(trim(coding.substr(0, coding.find(';'))), "trailers")) {
      return headers.set(HeaderId::Te, "trailers");
    }
  }
  headers.remove(HeaderId::Te);
}

void decideClient(const HttpManager& manager, HeaderMap& request, filter::StreamInfo& info) {
  const HttpManagerSpec& spec = *manager.spec;
  const net::Address& peer = info.connection->peer;
  const std::string_view xff = request.getOr(HeaderId::ForwardedFor, "");
  if (spec.use_remote_address) {
    if (spec.xff_num_trusted_hops > 0) {
      info.client = addressFromXff(xff, spec.xff_num_trusted_hops - 1).value_or(peer);
    }
    if (!spec.skip_xff_append && peer.isIp()) {
      // As Envoy: a client on this machine is told to the upstream by the machine's own address.
      const std::string ip = peer.isLoopback() && !manager.local_ip.empty() ? manager.local_ip : peer.ip();
      const std::string appended = xff.empty() ? ip : std::string(xff) + "," + ip;
      request.set(HeaderId::ForwardedFor, appended);
    }
    const bool trusted = spec.xff_num_trusted_hops > 0 && request.has(HeaderId::ForwardedPort);
    if (spec.append_x_forwarded_port && !trusted && info.connection->local.isIp()) {
      request.set(HeaderId::ForwardedPort, std::to_string(info.connection->local.port()));
    }
    return;
  }
  info.client = addressFromXff(xff, spec.xff_num_trusted_hops).value_or(peer);
}

void setProtoAndScheme(const HttpManagerSpec& spec, HeaderMap& request, const filter::StreamInfo& info) {
  const std::string_view own = info.connection->tls == nullptr ? "http" : "https";
  const bool trust = !spec.use_remote_address || spec.xff_num_trusted_hops > 0;
  if (!trust || !request.has(HeaderId::ForwardedProto)) request.setChecked(HeaderId::ForwardedProto, own);
  if (!spec.scheme_to_overwrite.empty()) {
    request.set(HeaderId::Scheme, spec.scheme_to_overwrite);
  } else if (!request.has(HeaderId::Scheme)) {
    const std::string_view proto = request.getOr(HeaderId::ForwardedProto, own);
    request.addChecked(HeaderId::Scheme, proto == "https" || proto == "http" ? proto : own);
  }
}

void giveRequestId(base::Random& random, HeaderMap& request) {
  request.remove(HeaderId::RequestId);
  char* const id = request.allocate(base::kUuidLength);
  base::putUuid4(random, id);
  request.addStored(HeaderId::RequestId, http::wellKnownName(HeaderId::RequestId), {id, base::kUuidLength});
}

}  // namespace

bool asksForUpgrade(const HeaderMap& request) {
  std::string_view rest = request.getOr(HeaderId::Connection, "");
  while (!rest.empty()) {
    if (http::equalsIgnoreCase(nextElement(rest), "upgrade")) return true;
  }
  return false;
}

bool isConnect(const HeaderMap& request) { return request.getOr(HeaderId::Method, "") == "CONNECT"; }

void prepareRequestHeaders(const HttpManager& manager, HeaderMap& request, filter::StreamInfo& info,
                           bool keep_upgrade) {
  const HttpManagerSpec& spec = *manager.spec;
  removeHopByHop(request, keep_upgrade);
  keepOnlyTeTrailers(request);
  request.remove(HeaderId::EnvoyInternal);
  decideClient(manager, request, info);
  setClientCertificateHeader(spec.client_certificate, info.connection->tls.get(), request);
  setProtoAndScheme(spec, request, info);

  const bool at_edge = spec.use_remote_address;
  removeInstructions(kInternalSet, request);
  if (at_edge) {
    removeInstructions(kEdgeSet, request);
    if (info.client.isIp()) request.set(HeaderId::EnvoyExternalAddress, info.client.ip());
  }
  if (spec.generate_request_id) {
    const bool keep = request.has(HeaderId::RequestId) && (!at_edge || spec.preserve_external_request_id);
    if (!keep) giveRequestId(manager.random, request);
  }
  if (!spec.via.empty()) {
    const std::string_view before = request.getOr(HeaderId::Via, "");
    request.set(HeaderId::Via, before.empty() ? spec.via : std::string(before) + ", " + spec.via);
  }
}

void removeTimeoutInstructions(HeaderMap& request) { removeInstructions(kTimeoutSet, request); }
void removeRetryInstructions(HeaderMap& request) { removeInstructions(kRetrySet, request); }

void prepareResponseHeaders(const HttpManager& manager, const HeaderMap* request, HeaderMap& response,
                            base::WallTime now, bool keep_upgrade) {
  const HttpManagerSpec& spec = *manager.spec;
  removeHopByHop(response, keep_upgrade);
  if (!response.has(HeaderId::Date)) response.addChecked(HeaderId::Date, http::imfDate(now));
  switch (spec.server_header) {
    case HttpManagerSpec::ServerHeader::Overwrite: response.set(HeaderId::Server, spec.server_name); break;
    case HttpManagerSpec::ServerHeader::AppendIfAbsent:
      if (!response.has(HeaderId::Server)) response.add(HeaderId::Server, spec.server_name);
      break;
    case HttpManagerSpec::ServerHeader::PassThrough: break;
  }
  if (!spec.via.empty()) {
    const std::string_view before = response.getOr(HeaderId::Via, "");
    response.set(HeaderId::Via, before.empty() ? spec.via : std::string(before) + ", " + spec.via);
  }
  if (spec.always_set_request_id_in_response && request != nullptr) {
    if (const auto id = request->get(HeaderId::RequestId)) response.set(HeaderId::RequestId, *id);
  }
}

}  // namespace weir::exchange
