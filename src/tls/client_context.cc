// The client's side.
#include <openssl/err.h>

#include "tls/context_parts.h"
#include "tls/sessions.h"

namespace weir::tls {
namespace {

class SnapshotOfClient final : public ClientContextParts {
 public:
  SnapshotOfClient(const ClientSpec& spec, std::shared_ptr<Stats> stats) : spec_(spec), stats_(std::move(stats)) {}
  base::Result<void> build();
  Stats& stats() const override { return *stats_; }
  const ClientSpec& spec() const override { return spec_; }
  SslPtr createSession(Handshake& handshake, const std::vector<std::string>& alpn_fallback) const override;

 private:
  static int onSession(SSL* ssl, SSL_SESSION* session);

  const ClientSpec spec_;
  const std::shared_ptr<Stats> stats_;
  std::shared_ptr<const Validator> validator_;
  std::shared_ptr<const LoadedCertificate> certificate_;
  SslContextPtr context_;
};

base::Result<void> SnapshotOfClient::build() {
  auto created = createSslContext(TLS_client_method(), spec_.parameters);
  if (!created.ok()) return std::move(created).error();
  context_ = std::move(*created);
  if (auto alpn = alpnWire(spec_.alpn); !alpn.ok()) return std::move(alpn).error();
  if (spec_.validation) {
    auto validator = Validator::create(*spec_.validation);
    if (!validator.ok()) return std::move(validator).error();
    validator_ = std::move(*validator);
  }
  // As Envoy: without a validation context whoever answers is believed.
  if (validator_ != nullptr && (validator_->wanted() || spec_.auto_sni_san_validation)) {
    installValidator(context_.get(), validator_.get(), false);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  } else {
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
  }
  if (spec_.max_session_keys > 0) {
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context_.get(), onSession);
  }
  if (spec_.certificates.empty()) return base::Ok{};
  auto loaded = loadCertificate(spec_.certificates.front());
  if (!loaded.ok()) return std::move(loaded).error();
  certificate_ = std::move(*loaded);
  return useCertificate(context_.get(), *certificate_);
}

SslPtr SnapshotOfClient::createSession(Handshake& handshake, const std::vector<std::string>& alpn_fallback) const {
  SslPtr ssl(SSL_new(context_.get()));
  handshake.validator = validator_.get();
  handshake.stats = stats_.get();
  handshake.local = certificate_.get();
  SSL_set_app_data(ssl.get(), &handshake);
  SSL_set_connect_state(ssl.get());
  // RFC 6066 3: an address is no server name.
  if (!handshake.server_name.empty()) SSL_set_tlsext_host_name(ssl.get(), handshake.server_name.c_str());
  auto wire = alpnWire(spec_.alpn.empty() ? alpn_fallback : spec_.alpn);
  if (wire.ok() && !wire->empty()) {
    SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(wire->data()),
                        static_cast<unsigned>(wire->size()));
  }
  if (handshake.sessions != nullptr) {
    if (const SessionPtr session = handshake.sessions->take(handshake.server_name))
      SSL_set_session(ssl.get(), session.get());
  }
  return ssl;
}

// 1: the session is ours now.
int SnapshotOfClient::onSession(SSL* ssl, SSL_SESSION* session) {
  Handshake& handshake = handshakeOf(ssl);
  if (handshake.sessions == nullptr) return 0;
  handshake.sessions->put(handshake.server_name, SessionPtr(session));
  return 1;
}

}  // namespace

base::Result<std::shared_ptr<const ClientContext>> ClientContext::create(const ClientSpec& spec,
                                                                         std::shared_ptr<Stats> stats) {
  auto context = std::make_shared<SnapshotOfClient>(spec, std::move(stats));
  if (auto built = context->build(); !built.ok()) return std::move(built).error();
  return std::shared_ptr<const ClientContext>(std::move(context));
}

}  // namespace weir::tls
