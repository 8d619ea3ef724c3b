// A connection to 127.0.0.1 that never blocks, plain or with TLS 1.3.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <string_view>

namespace bench {

// What all TLS connections of the run share. Certificates are not looked at: the proxies have one of this machine's
// own.
class TlsClient {
 public:
  explicit TlsClient(bool resume);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // A connection's state, with the newest session to resume if that is wanted and there is one.
  SSL* start(int fd);
  bool resumes() const { return session_ != nullptr; }

 private:
  static int keepSession(SSL* ssl, SSL_SESSION* session);

  SSL_CTX* context_;
  bool resume_;
  SSL_SESSION* session_ = nullptr;
};

class Stream {
 public:
  static constexpr long kAgain = 0;
  static constexpr long kClosed = -1;

  // Connects, which on loopback the kernel does at once. tls may be null.
  Stream(int port, TlsClient* tls);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int fd() const { return fd_; }
  // Bytes that were taken, kAgain or kClosed. The handshake goes on within these.
  long write(std::string_view bytes);
  long read(char* to, size_t size);
  bool wantsWrite() const { return wants_write_; }
  bool resumed() const { return ssl_ != nullptr && SSL_session_reused(ssl_) == 1; }

 private:
  long tlsResult(int result);

  int fd_ = -1;
  SSL* ssl_ = nullptr;
  bool wants_write_ = false;
};

}  // namespace bench
