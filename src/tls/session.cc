#include "tls/session.h"

#include <openssl/err.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "tls/sessions.h"

namespace weir::tls {
namespace {

// --- A BIO over the session's two chains ---

int writeChain(BIO* bio, const char* data, int size) {
  auto* session = static_cast<Session*>(BIO_get_data(bio));
  session->out().append({data, static_cast<size_t>(size)});
  return size;
}

int readChain(BIO* bio, char* data, int size) {
  auto* session = static_cast<Session*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  base::BufferChain& in = session->in();
  const size_t count = std::min(in.size(), static_cast<size_t>(size));
  if (count == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  in.copyTo({data, count}, 0);
  in.drain(count);
  return static_cast<int>(count);
}

long controlChain(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

std::string versionName(const SSL* ssl) { return SSL_get_version(ssl); }

}  // namespace

const BIO_METHOD* Session::chainMethod() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weir chains");
    BIO_meth_set_write(made, writeChain);
    BIO_meth_set_read(made, readChain);
    BIO_meth_set_ctrl(made, controlChain);
    return made;
  }();
  return method;
}

std::unique_ptr<Session> Session::server(std::shared_ptr<const ServerContext> context) {
  std::unique_ptr<Session> session(new Session());
  const auto& parts = static_cast<const ServerContextParts&>(*context);
  session->server_ = std::move(context);
  session->adopt(parts.createSession(session->handshake_));
  return session;
}

std::unique_ptr<Session> Session::client(std::shared_ptr<const ClientContext> context, std::string server_name,
                                         std::string expected_name, const std::vector<std::string>& alpn_fallback,
                                         SessionStore* sessions) {
  std::unique_ptr<Session> session(new Session());
  const auto& parts = static_cast<const ClientContextParts&>(*context);
  session->client_ = std::move(context);
  session->handshake_.server_name = std::move(server_name);
  session->handshake_.judgement.expected_name = std::move(expected_name);
  session->handshake_.sessions = sessions;
  session->adopt(parts.createSession(session->handshake_, alpn_fallback));
  return session;
}

void Session::adopt(SslPtr ssl) {
  ssl_ = std::move(ssl);
  CHECK(ssl_ != nullptr);
  BIO* bio = BIO_new(chainMethod());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
}

// A connection that broke off in an orderly way leaves its session resumable; else OpenSSL would spoil it.
Session::~Session() {
  if (healthy_ && !broken_) SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  ERR_clear_error();
}

// --- Work ---

Session::Outcome Session::outcomeOf(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return Outcome::NeedMore;
    case SSL_ERROR_ZERO_RETURN: return Outcome::End;
    default: break;
  }
  if (!std::exchange(broken_, true)) countFailure();
  // A broken session says why once, and then only that it is.
  if (std::string words = takeTlsError(handshake_.judgement.failure); !words.empty()) failure_ = std::move(words);
  return Outcome::Failed;
}

Session::Outcome Session::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result != 1) return outcomeOf(result);
  healthy_ = true;
  return Outcome::Done;
}

Session::Outcome Session::read(base::BufferChain& plain) {
  ERR_clear_error();
  const std::span<char> room = plain.reserve(base::BufferChain::kSlabBytes / 2);
  size_t got = 0;
  const int result = SSL_read_ex(ssl_.get(), room.data(), room.size(), &got);
  plain.commit(result == 1 ? got : 0);
  return result == 1 ? Outcome::Done : outcomeOf(result);
}

// A record for each piece that is large; small ones are put together, so that a head and a short body cost one record.
Session::Outcome Session::write(base::BufferChain& plain) {
  constexpr size_t kWorthARecord = 4096;
  ERR_clear_error();
  while (!plain.empty()) {
    std::string_view piece = plain.front();
    if (piece.size() < kWorthARecord) piece = plain.linearize(std::min(plain.size(), base::BufferChain::kSlabBytes));
    size_t written = 0;
    const int result = SSL_write_ex(ssl_.get(), piece.data(), piece.size(), &written);
    if (result != 1) {
      plain.clear();
      return outcomeOf(result);
    }
    plain.drain(written);
  }
  return Outcome::Done;
}

void Session::sendCloseNotify() {
  if (!healthy_ || broken_) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

std::string Session::takeFailure() { return std::exchange(failure_, {}); }

// As Envoy: a certificate that did not come is its own count, and a verdict of ours has counted already.
void Session::countFailure() {
  const unsigned long error = ERR_peek_error();
  const bool of_ssl = ERR_GET_LIB(error) == ERR_LIB_SSL;
  const int reason = ERR_GET_REASON(error);
  if (of_ssl && reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) return handshake_.stats->fail_verify_no_cert.add();
  if (of_ssl && reason == SSL_R_CERTIFICATE_VERIFY_FAILED) return;
  handshake_.stats->connection_error.add();
}

// --- What it came to ---

std::shared_ptr<const net::TlsInfo> Session::conclude(base::MonotonicTime began) {
  const SSL* ssl = ssl_.get();
  auto info = std::make_shared<net::TlsInfo>();
  info->version = versionName(ssl);
  info->handshake_began = began;
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  const char* standard = cipher == nullptr ? nullptr : SSL_CIPHER_standard_name(cipher);
  if (standard != nullptr) info->cipher = standard;
  const unsigned char* alpn = nullptr;
  unsigned alpn_size = 0;
  SSL_get0_alpn_selected(ssl, &alpn, &alpn_size);
  if (alpn_size > 0) info->alpn.assign(reinterpret_cast<const char*>(alpn), alpn_size);
  info->requested_server_name = handshake_.server_name;
  unsigned id_size = 0;
  const unsigned char* id = SSL_SESSION_get_id(SSL_get_session(ssl), &id_size);
  info->session_id = hex({reinterpret_cast<const char*>(id), id_size});
  info->resumed = SSL_session_reused(ssl_.get()) == 1;
  if (handshake_.local != nullptr) info->local = *handshake_.local->info;
  describePeer(*info);

  Stats& stats = *handshake_.stats;
  stats.handshake.add();
  if (info->resumed) stats.session_reused.add();
  if (!info->peer_certificate_presented) stats.no_certificate.add();
  stats.count("ciphers", cipher == nullptr ? "" : SSL_CIPHER_get_name(cipher));
  stats.count("versions", info->version);
  const int group = static_cast<int>(SSL_get_negotiated_group(ssl_.get()));
  if (const char* name = group == 0 ? nullptr : SSL_group_to_name(ssl_.get(), group)) {
    const std::string_view openssl = name;
    stats.count("curves", openssl == "x25519"                                 ? "X25519"
                          : openssl == "secp256r1" || openssl == "prime256v1" ? "P-256"
                          : openssl == "secp384r1"                            ? "P-384"
                          : openssl == "secp521r1"                            ? "P-521"
                                                                              : openssl);
  }
  return info;
}

void Session::describePeer(net::TlsInfo& info) const {
  X509* leaf = SSL_get0_peer_certificate(ssl_.get());
  if (leaf == nullptr) return;
  info.peer_certificate_presented = true;
  // A resumed session was judged when it began.
  info.peer_certificate_validated = handshake_.judgement.validated ||
                                    (info.resumed && handshake_.validator != nullptr && handshake_.validator->wanted());
  info.peer = describe(leaf);
  info.peer.pem_urlencoded = urlEncodedPem(leaf);
  info.peer.chain_pem_urlencoded = info.peer.pem_urlencoded;
  // A server's chain is without the leaf, and a client's is with it.
  STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl_.get());
  for (int i = server_ != nullptr ? 0 : 1; chain != nullptr && i < sk_X509_num(chain); ++i) {
    info.peer.chain_pem_urlencoded += urlEncodedPem(sk_X509_value(chain, i));
  }
}

}  // namespace weir::tls
