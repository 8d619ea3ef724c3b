#include "stream.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace bench {

TlsClient::TlsClient(bool resume) : context_(SSL_CTX_new(TLS_client_method())), resume_(resume) {
  SSL_CTX_set_min_proto_version(context_, TLS1_3_VERSION);
  SSL_CTX_set_mode(context_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context_, keepSession);
  SSL_CTX_set_app_data(context_, this);
}

TlsClient::~TlsClient() {
  SSL_SESSION_free(session_);
  SSL_CTX_free(context_);
}

int TlsClient::keepSession(SSL* ssl, SSL_SESSION* session) {
  auto* client = static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  if (!client->resume_) return 0;
  SSL_SESSION_free(client->session_);
  client->session_ = session;
  return 1;  // Ours now.
}

SSL* TlsClient::start(int fd) {
  SSL* ssl = SSL_new(context_);
  SSL_set_fd(ssl, fd);
  SSL_set_connect_state(ssl);
  // OpenSSL marks a session that is resumed as used up; a copy may be resumed as often as the server takes it.
  if (session_ != nullptr) {
    SSL_SESSION* copy = SSL_SESSION_dup(session_);
    SSL_set_session(ssl, copy);
    SSL_SESSION_free(copy);
  }
  return ssl;
}

Stream::Stream(int port, TlsClient* tls) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return;  // read() will say so.
  const int one = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  fcntl(fd_, F_SETFL, O_NONBLOCK);
  if (tls != nullptr) ssl_ = tls->start(fd_);
}

Stream::~Stream() {
  if (ssl_ != nullptr) {
    if (SSL_is_init_finished(ssl_) != 0) SSL_shutdown(ssl_);
    SSL_free(ssl_);
  }
  close(fd_);
}

long Stream::write(std::string_view bytes) {
  if (ssl_ != nullptr) return tlsResult(SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())));
  const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  wants_write_ = sent < static_cast<ssize_t>(bytes.size());
  if (sent >= 0) return sent;
  return errno == EAGAIN ? kAgain : kClosed;
}

long Stream::read(char* to, size_t size) {
  if (ssl_ != nullptr) return tlsResult(SSL_read(ssl_, to, static_cast<int>(size)));
  const ssize_t got = recv(fd_, to, size, 0);
  if (got > 0) return got;
  return got < 0 && errno == EAGAIN ? kAgain : kClosed;
}

long Stream::tlsResult(int result) {
  wants_write_ = false;
  if (result > 0) return result;
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ: return kAgain;
    case SSL_ERROR_WANT_WRITE: wants_write_ = true; return kAgain;
    default: ERR_clear_error(); return kClosed;
  }
}

}  // namespace bench
