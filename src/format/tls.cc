// Operators about TLS, of the client's connection and of the one to the upstream.
#include "format/tables.h"
#include "format/time_format.h"

namespace weir::format {
namespace {

using Kind = Operator::Kind;
using Parameter = RowWithParameter::Parameter;
using net::CertificateInfo;
using net::TlsInfo;
using FindTls = const TlsInfo* (*)(const Entry&);

const TlsInfo* down(const Entry& e) { return e.info.connection != nullptr ? e.info.connection->tls.get() : nullptr; }
const TlsInfo* up(const Entry& e) { return e.info.upstream ? e.info.upstream->tls.get() : nullptr; }

template <FindTls kFind, std::string TlsInfo::*kField>
bool session(const Entry& e, std::string& out) {
  const TlsInfo* tls = kFind(e);
  return tls != nullptr && putKnown(out, tls->*kField);
}
void replace(std::string& text, std::string_view from, std::string_view to) {
  if (const size_t at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
}

// As Envoy: by OpenSSL's name, which differs from IANA's before TLS 1.3: ECDHE-RSA-AES128-GCM-SHA256 is
// TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256.
std::string openSslName(const std::string& cipher) {
  const size_t with = cipher.find("_WITH_");
  if (with == std::string::npos || !cipher.starts_with("TLS_")) return cipher;
  const std::string exchange = cipher.substr(4, with - 4);
  std::string name = (exchange == "RSA" ? "" : exchange + "-") + cipher.substr(with + 6);
  for (char& c : name) c = c == '_' ? '-' : c;
  replace(name, "AES-", "AES");
  replace(name, "-CBC-", "-");
  replace(name, "POLY1305-SHA256", "POLY1305");
  return name;
}

template <FindTls kFind>
bool cipher(const Entry& e, std::string& out) {
  const TlsInfo* tls = kFind(e);
  return tls != nullptr && putKnown(out, openSslName(tls->cipher));
}

template <FindTls kFind, CertificateInfo TlsInfo::*kWhose, std::string CertificateInfo::*kField>
bool certificate(const Entry& e, std::string& out) {
  const TlsInfo* tls = kFind(e);
  return tls != nullptr && putKnown(out, tls->*kWhose.*kField);
}
template <FindTls kFind, CertificateInfo TlsInfo::*kWhose, std::vector<std::string> CertificateInfo::*kField>
bool names(const Entry& e, std::string& out) {
  const TlsInfo* tls = kFind(e);
  if (tls == nullptr || (tls->*kWhose.*kField).empty()) return false;
  bool first = true;
  for (const std::string& name : tls->*kWhose.*kField) {
    if (!first) out += ',';
    first = false;
    out += name;
  }
  return true;
}

template <FindTls kFind, int64_t CertificateInfo::*kWhen>
base::Result<Operator> validity(const Command& command) {
  auto format = TimeFormat::create(command.parameter.value_or(TimeFormat::kDefault), TimeFormat::Zone::Utc);
  if (!format.ok()) return std::move(format).error();
  return Operator{Kind::Text, [format = *std::move(format)](const Entry& e, std::string& out) {
                    const TlsInfo* tls = kFind(e);
                    if (tls == nullptr || tls->peer.*kWhen == 0) return false;
                    format.append(base::WallTime(std::chrono::seconds(tls->peer.*kWhen)), out);
                    return true;
                  }};
}

constexpr auto kLocal = &TlsInfo::local;
constexpr auto kPeer = &TlsInfo::peer;

constexpr PlainRow kRows[] = {
    {"DOWNSTREAM_TLS_VERSION", Kind::Text, session<down, &TlsInfo::version>},
    {"DOWNSTREAM_TLS_CIPHER", Kind::Text, cipher<down>},
    {"DOWNSTREAM_TLS_SESSION_ID", Kind::Text, session<down, &TlsInfo::session_id>},
    {"DOWNSTREAM_LOCAL_SUBJECT", Kind::Text, certificate<down, kLocal, &CertificateInfo::subject>},
    {"DOWNSTREAM_LOCAL_URI_SAN", Kind::Text, names<down, kLocal, &CertificateInfo::uri_sans>},
    {"DOWNSTREAM_LOCAL_DNS_SAN", Kind::Text, names<down, kLocal, &CertificateInfo::dns_sans>},
    {"DOWNSTREAM_LOCAL_IP_SAN", Kind::Text, names<down, kLocal, &CertificateInfo::ip_sans>},
    {"DOWNSTREAM_LOCAL_EMAIL_SAN", Kind::Text, names<down, kLocal, &CertificateInfo::email_sans>},
    {"DOWNSTREAM_PEER_SUBJECT", Kind::Text, certificate<down, kPeer, &CertificateInfo::subject>},
    {"DOWNSTREAM_PEER_ISSUER", Kind::Text, certificate<down, kPeer, &CertificateInfo::issuer>},
    {"DOWNSTREAM_PEER_SERIAL", Kind::Text, certificate<down, kPeer, &CertificateInfo::serial_number>},
    {"DOWNSTREAM_PEER_FINGERPRINT_256", Kind::Text, certificate<down, kPeer, &CertificateInfo::sha256>},
    {"DOWNSTREAM_PEER_FINGERPRINT_1", Kind::Text, certificate<down, kPeer, &CertificateInfo::sha1>},
    {"DOWNSTREAM_PEER_CERT", Kind::Text, certificate<down, kPeer, &CertificateInfo::pem_urlencoded>},
    {"DOWNSTREAM_PEER_URI_SAN", Kind::Text, names<down, kPeer, &CertificateInfo::uri_sans>},
    {"DOWNSTREAM_PEER_DNS_SAN", Kind::Text, names<down, kPeer, &CertificateInfo::dns_sans>},
    {"DOWNSTREAM_PEER_IP_SAN", Kind::Text, names<down, kPeer, &CertificateInfo::ip_sans>},
    {"DOWNSTREAM_PEER_EMAIL_SAN", Kind::Text, names<down, kPeer, &CertificateInfo::email_sans>},
    {"UPSTREAM_TLS_VERSION", Kind::Text, session<up, &TlsInfo::version>},
    {"UPSTREAM_TLS_CIPHER", Kind::Text, cipher<up>},
    {"UPSTREAM_TLS_SESSION_ID", Kind::Text, session<up, &TlsInfo::session_id>},
    {"UPSTREAM_SERVER_NAME", Kind::Text, session<up, &TlsInfo::requested_server_name>},
    {"UPSTREAM_PEER_SUBJECT", Kind::Text, certificate<up, kPeer, &CertificateInfo::subject>},
    {"UPSTREAM_PEER_ISSUER", Kind::Text, certificate<up, kPeer, &CertificateInfo::issuer>},
    {"UPSTREAM_PEER_CERT", Kind::Text, certificate<up, kPeer, &CertificateInfo::pem_urlencoded>},
    {"UPSTREAM_PEER_URI_SAN", Kind::Text, names<up, kPeer, &CertificateInfo::uri_sans>},
    {"UPSTREAM_PEER_DNS_SAN", Kind::Text, names<up, kPeer, &CertificateInfo::dns_sans>},
    {"UPSTREAM_PEER_IP_SAN", Kind::Text, names<up, kPeer, &CertificateInfo::ip_sans>},
    {"UPSTREAM_LOCAL_URI_SAN", Kind::Text, names<up, kLocal, &CertificateInfo::uri_sans>},
    {"UPSTREAM_LOCAL_DNS_SAN", Kind::Text, names<up, kLocal, &CertificateInfo::dns_sans>},
    {"UPSTREAM_LOCAL_IP_SAN", Kind::Text, names<up, kLocal, &CertificateInfo::ip_sans>},
};

}  // namespace

std::span<const PlainRow> tlsRows() { return kRows; }

base::Result<Operator> createClientValidFrom(const Command& command) {
  return validity<down, &CertificateInfo::valid_from>(command);
}
base::Result<Operator> createClientValidUntil(const Command& command) {
  return validity<down, &CertificateInfo::valid_until>(command);
}
base::Result<Operator> createUpstreamValidFrom(const Command& command) {
  return validity<up, &CertificateInfo::valid_from>(command);
}
base::Result<Operator> createUpstreamValidUntil(const Command& command) {
  return validity<up, &CertificateInfo::valid_until>(command);
}

}  // namespace weir::format
