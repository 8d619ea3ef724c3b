// The server's side: which certificate a client gets, which protocol, and tickets.
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <ctime>

#include "base/random.h"
#include "tls/context_parts.h"
#include "tls/source.h"

namespace weir::tls {
namespace {

// Sessions of clients without tickets, kept here. Each is about 1 KB, more with a client certificate.
constexpr long kMostSessionsKept = 4096;

class SnapshotOfServer final : public ServerContextParts {
 public:
  SnapshotOfServer(const ServerSpec& spec, std::shared_ptr<Stats> stats, std::shared_ptr<TicketKeys> tickets)
      : spec_(spec), stats_(std::move(stats)), tickets_(std::move(tickets)) {}
  base::Result<void> build();

  Stats& stats() const override { return *stats_; }
  SslPtr createSession(Handshake& handshake) const override;

 private:
  static const SnapshotOfServer& of(SSL* ssl) {
    return *static_cast<const SnapshotOfServer*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  }
  static int onClientHello(SSL* ssl, int* alert, void* self);
  static int onAlpn(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                    unsigned in_size, void* self);
  static int onTicketKey(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                         int sealing);
  static int onStatus(SSL* ssl, void* self);
  int withoutStaple(const LoadedCertificate& local) const;

  base::Result<void> checkPromise(const LoadedCertificate& certificate) const;
  base::Result<void> addCertificate(std::shared_ptr<const LoadedCertificate> certificate);
  void configureSessions(SSL_CTX* context) const;
  std::string sessionContext() const;
  size_t choose(const ClientHello& hello) const;
  bool fits(size_t index, const ClientHello& hello) const;

  const ServerSpec spec_;
  const std::shared_ptr<Stats> stats_;
  const std::shared_ptr<TicketKeys> tickets_;
  std::string alpn_;
  std::shared_ptr<const Validator> validator_;
  // One for each certificate: OpenSSL keeps keys of one kind only once in each.
  std::vector<std::shared_ptr<const LoadedCertificate>> certificates_;
  std::vector<SslContextPtr> contexts_;
};

base::Result<void> SnapshotOfServer::build() {
  auto alpn = alpnWire(spec_.alpn);
  if (!alpn.ok()) return std::move(alpn).error();
  alpn_ = std::move(*alpn);
  if (spec_.validation) {
    auto validator = Validator::create(*spec_.validation);
    if (!validator.ok()) return std::move(validator).error();
    validator_ = std::move(*validator);
  }
  std::vector<std::string> keys;
  for (const Source& source : spec_.ticket_keys) {
    auto key = read(source);
    if (!key.ok()) return std::move(key).error();
    keys.push_back(std::move(*key));
  }
  if (auto configured = tickets_->configure(keys); !configured.ok()) return configured;
  if (spec_.certificates.empty()) return operatorError("Server TlsCertificates must have a certificate specified");
  for (const CertificateSpec& certificate : spec_.certificates) {
    auto loaded = loadCertificate(certificate);
    if (!loaded.ok()) return std::move(loaded).error();
    certificates_.push_back(std::move(*loaded));
  }
  for (const auto& certificate : certificates_) {
    if (auto added = addCertificate(certificate); !added.ok()) return added;
  }
  SSL_CTX_set_client_hello_cb(contexts_.front().get(), onClientHello, this);
  return base::Ok{};
}

// Who must staple needs something to staple.
base::Result<void> SnapshotOfServer::checkPromise(const LoadedCertificate& certificate) const {
  if (!certificate.staple.empty()) return base::Ok{};
  if (certificate.must_staple) return operatorError("OCSP response is required for must-staple certificate");
  if (spec_.staple_policy != StaplePolicy::Must) return base::Ok{};
  return operatorError("Required OCSP response is missing from TLS context");
}

base::Result<void> SnapshotOfServer::addCertificate(std::shared_ptr<const LoadedCertificate> certificate) {
  if (auto kept = checkPromise(*certificate); !kept.ok()) return kept;
  auto created = createSslContext(TLS_server_method(), spec_.parameters);
  if (!created.ok()) return std::move(created).error();
  SSL_CTX* context = created->get();
  if (auto used = useCertificate(context, *certificate); !used.ok()) return used;
  if (spec_.prefer_client_ciphers) SSL_CTX_clear_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_app_data(context, this);
  installValidator(context, validator_.get(), true);
  const bool asks = spec_.require_client_certificate || (validator_ != nullptr && validator_->wanted());
  if (asks) {
    SSL_CTX_set_verify(
        context, SSL_VERIFY_PEER | (spec_.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
    // Without rules a certificate that is required may be any.
    if (validator_ == nullptr) {
      SSL_CTX_set_cert_verify_callback(
          context, [](X509_STORE_CTX*, void*) { return 1; }, nullptr);
    }
  }
  if (!alpn_.empty()) SSL_CTX_set_alpn_select_cb(context, onAlpn, this);
  SSL_CTX_set_tlsext_status_cb(context, onStatus);
  SSL_CTX_set_tlsext_status_arg(context, this);
  configureSessions(context);
  contexts_.push_back(std::move(*created));
  return base::Ok{};
}

void SnapshotOfServer::configureSessions(SSL_CTX* context) const {
  const std::string id = sessionContext();
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(id.data()),
                                 static_cast<unsigned>(id.size()));
  SSL_CTX_sess_set_cache_size(context, kMostSessionsKept);
  if (!spec_.stateful_resumption) SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (spec_.session_timeout) {
    SSL_CTX_set_timeout(context, std::chrono::duration_cast<std::chrono::seconds>(*spec_.session_timeout).count());
  }
  if (spec_.stateless_resumption) {
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, onTicketKey);
  } else {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    // TLS 1.3 has only tickets; without stateless ones they would stand for a session that is kept here.
    if (!spec_.stateful_resumption) SSL_CTX_set_num_tickets(context, 0);
  }
}

// A session is only good where it would have come about in the same way.
std::string SnapshotOfServer::sessionContext() const {
  std::string all;
  for (const auto& certificate : certificates_) all += certificate->info->sha256;
  for (const std::string& protocol : spec_.alpn) all += "|" + protocol;
  if (validator_ != nullptr) all += validator_->fingerprint();
  all += spec_.require_client_certificate ? "|required" : "";
  return sha256(all);
}

SslPtr SnapshotOfServer::createSession(Handshake& handshake) const {
  SslPtr ssl(SSL_new(contexts_.front().get()));
  handshake.validator = validator_.get();
  handshake.stats = stats_.get();
  handshake.local = certificates_.front().get();
  SSL_set_app_data(ssl.get(), &handshake);
  SSL_set_accept_state(ssl.get());
  return ssl;
}

// --- The choice of a certificate ---

int SnapshotOfServer::onClientHello(SSL* ssl, int*, void* self) {
  const auto& server = *static_cast<const SnapshotOfServer*>(self);
  const auto extension = [ssl](unsigned type) {
    const unsigned char* data = nullptr;
    size_t size = 0;
    if (SSL_client_hello_get0_ext(ssl, type, &data, &size) != 1) return std::string_view();
    return std::string_view(reinterpret_cast<const char*>(data), size);
  };
  ClientHello hello;
  hello.server_name = readServerName(extension(TLSEXT_TYPE_server_name));
  hello.groups = readNumberList(extension(TLSEXT_TYPE_supported_groups));
  hello.signatures = readNumberList(extension(TLSEXT_TYPE_signature_algorithms));
  const std::string_view versions = extension(TLSEXT_TYPE_supported_versions);
  for (size_t i = 1; i + 1 < versions.size(); i += 2) {
    hello.versions.push_back(static_cast<uint16_t>(static_cast<unsigned char>(versions[i]) << 8 |
                                                   static_cast<unsigned char>(versions[i + 1])));
  }
  const unsigned char* ciphers = nullptr;
  const size_t size = SSL_client_hello_get0_ciphers(ssl, &ciphers);
  for (size_t i = 0; i + 1 < size; i += 2)
    hello.ciphers.push_back(static_cast<uint16_t>(ciphers[i] << 8 | ciphers[i + 1]));

  Handshake& handshake = handshakeOf(ssl);
  const size_t chosen = server.choose(hello);
  handshake.server_name = std::move(hello.server_name);
  handshake.local = server.certificates_[chosen].get();
  if (chosen != 0) SSL_set_SSL_CTX(ssl, server.contexts_[chosen].get());
  return SSL_CLIENT_HELLO_SUCCESS;
}

// Whether the client can check this kind of key.
bool SnapshotOfServer::fits(size_t index, const ClientHello& hello) const {
  const LoadedCertificate& certificate = *certificates_[index];
  if (!certificate.is_ec) return true;
  const bool p256 = certificate.curve == NID_X9_62_prime256v1;
  const bool p384 = certificate.curve == NID_secp384r1;
  const uint16_t signature = p256 ? 0x0403 : p384 ? 0x0503 : 0x0603;
  const bool tls13 = std::find(hello.versions.begin(), hello.versions.end(), TLS1_3_VERSION) != hello.versions.end() &&
                     SSL_CTX_get_max_proto_version(contexts_[index].get()) == TLS1_3_VERSION;
  if (tls13) return std::find(hello.signatures.begin(), hello.signatures.end(), signature) != hello.signatures.end();
  const uint16_t group = p256 ? 23 : p384 ? 24 : 25;
  if (std::find(hello.groups.begin(), hello.groups.end(), group) == hello.groups.end()) return false;
  return std::any_of(hello.ciphers.begin(), hello.ciphers.end(), [](uint16_t cipher) {
    // ECDHE-ECDSA with AES-GCM, ChaCha20 or AES-CBC.
    return cipher == 0xc02b || cipher == 0xc02c || cipher == 0xcca9 || cipher == 0xc009 || cipher == 0xc00a;
  });
}

// As Envoy: by exact name, then by wildcard, each time one whose key the client can check; then, if that is wanted or
// there is no name, any such; else the first. ECDSA goes before RSA: it costs a tenth.
size_t SnapshotOfServer::choose(const ClientHello& hello) const {
  const size_t count = certificates_.size();
  const auto best = [&](auto named) -> size_t {
    size_t found = count;
    for (size_t i = 0; i < count; ++i) {
      if (!named(*certificates_[i]) || !fits(i, hello)) continue;
      if (found == count || (certificates_[i]->is_ec && !certificates_[found]->is_ec)) found = i;
    }
    return found;
  };
  const std::string& name = hello.server_name;
  if (!name.empty()) {
    const size_t exact = best([&](const LoadedCertificate& each) {
      return std::find(each.names.begin(), each.names.end(), name) != each.names.end();
    });
    if (exact != count) return exact;
    const size_t dot = name.find('.');
    const std::string wildcard = dot == std::string::npos ? std::string() : "*" + name.substr(dot);
    const size_t wide = best([&](const LoadedCertificate& each) {
      return std::find(each.names.begin(), each.names.end(), wildcard) != each.names.end();
    });
    if (wide != count) return wide;
  }
  if (!name.empty() && !spec_.full_scan_on_mismatch) return 0;
  const size_t any = best([](const LoadedCertificate&) { return true; });
  return any == count ? 0 : any;
}

// --- ALPN, tickets, OCSP ---

// RFC 7301 3.2: the server's order decides. As Envoy, no common protocol is no agreement and not the end.
int SnapshotOfServer::onAlpn(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                             unsigned in_size, void* self) {
  const auto& server = *static_cast<const SnapshotOfServer*>(self);
  unsigned char* chosen = nullptr;
  const int outcome =
      SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(server.alpn_.data()),
                            static_cast<unsigned>(server.alpn_.size()), in, in_size);
  if (outcome != OPENSSL_NPN_NEGOTIATED) {
    handshakeOf(ssl).alpn_mismatch = true;
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

int SnapshotOfServer::onTicketKey(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                                  EVP_MAC_CTX* mac, int sealing) {
  TicketKeys& keys = *of(ssl).tickets_;
  TicketKey key;
  bool renew = false;
  if (sealing == 1) {
    key = keys.current();
    std::memcpy(name, key.name.data(), key.name.size());
    base::secureRandom(std::as_writable_bytes(std::span(iv, EVP_MAX_IV_LENGTH)));
  } else {
    const auto found = keys.find(name);
    if (!found) return 0;  // A full handshake, and a new ticket.
    key = found->key;
    renew = found->renew;
  }
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.hmac.data(), key.hmac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  const bool done = EVP_MAC_CTX_set_params(mac, parameters) == 1 &&
                    EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.aes.data(), iv, sealing) == 1;
  OPENSSL_cleanse(&key, sizeof key);
  if (!done) return -1;
  return renew ? 2 : 1;
}

// A valid response is asked for, and there is none.
int SnapshotOfServer::withoutStaple(const LoadedCertificate& local) const {
  const StaplePolicy policy = local.must_staple ? StaplePolicy::Must : spec_.staple_policy;
  const bool expired = !local.staple.empty();
  if (policy == StaplePolicy::Must || (policy == StaplePolicy::Strict && expired)) {
    stats_->ocsp_staple_failed.add();
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  stats_->ocsp_staple_omitted.add();
  return SSL_TLSEXT_ERR_NOACK;
}

// RFC 6066 8.
int SnapshotOfServer::onStatus(SSL* ssl, void* self) {
  const auto& server = *static_cast<const SnapshotOfServer*>(self);
  server.stats_->ocsp_staple_requests.add();
  const LoadedCertificate& local = *handshakeOf(ssl).local;
  const std::string& staple = local.staple;
  if (staple.empty() || local.staple_until < std::time(nullptr)) return server.withoutStaple(local);
  void* copy = OPENSSL_memdup(staple.data(), staple.size());  // OpenSSL's from now on.
  SSL_set_tlsext_status_ocsp_resp(ssl, static_cast<unsigned char*>(copy), static_cast<long>(staple.size()));
  server.stats_->ocsp_staple_responses.add();
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

base::Result<std::shared_ptr<const ServerContext>> ServerContext::create(const ServerSpec& spec,
                                                                         std::shared_ptr<Stats> stats,
                                                                         std::shared_ptr<TicketKeys> tickets) {
  auto context = std::make_shared<SnapshotOfServer>(spec, std::move(stats), std::move(tickets));
  if (auto built = context->build(); !built.ok()) return std::move(built).error();
  return std::shared_ptr<const ServerContext>(std::move(context));
}

}  // namespace weir::tls
