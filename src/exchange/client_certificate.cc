#include "exchange/client_certificate.h"

namespace weir::exchange {
namespace {

constexpr std::string_view kHeader = "x-forwarded-client-cert";

// Key and value pairs of one element, in Envoy's order.
std::string elementOf(const ClientCertificateSpec& spec, const net::TlsInfo& tls) {
  std::string out;
  const auto add = [&out](std::string_view key, std::string_view value, std::string_view quote = "") {
    if (!out.empty()) out += ';';
    out.append(key).append("=").append(quote).append(value).append(quote);
  };
  for (const std::string& uri : tls.local.uri_sans) add("By", uri);
  if (!tls.peer.sha256.empty()) add("Hash", tls.peer.sha256);
  if (spec.cert && !tls.peer.pem_urlencoded.empty()) add("Cert", tls.peer.pem_urlencoded, "\"");
  if (spec.chain && !tls.peer.chain_pem_urlencoded.empty()) add("Chain", tls.peer.chain_pem_urlencoded, "\"");
  if (spec.subject) add("Subject", tls.peer.subject, "\"");
  if (spec.uri && tls.peer.uri_sans.empty()) add("URI", "");
  if (spec.uri) {
    for (const std::string& uri : tls.peer.uri_sans) add("URI", uri);
  }
  if (spec.dns) {
    for (const std::string& name : tls.peer.dns_sans) add("DNS", name);
  }
  return out;
}

}  // namespace

void setClientCertificateHeader(const ClientCertificateSpec& spec, const net::TlsInfo* tls, http::HeaderMap& request) {
  using Forward = ClientCertificateSpec::Forward;
  if (spec.forward == Forward::AlwaysForwardOnly) return;
  const bool mutual = tls != nullptr && tls->peer_certificate_presented;
  if (spec.forward == Forward::Sanitize || !mutual) {
    request.remove(kHeader);
    return;
  }
  if (spec.forward == Forward::ForwardOnly) return;
  std::string element = elementOf(spec, *tls);
  const auto before = request.get(kHeader);
  if (spec.forward == Forward::AppendForward && before) element = std::string(*before) + "," + element;
  request.set(kHeader, element);
}

}  // namespace weir::exchange
