// OpenSSL's state of one connection between two chains of bytes: what came in encrypted, what goes out encrypted. For
// the sources of this folder only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "net/tls_info.h"
#include "tls/context_parts.h"

namespace weir::tls {

class Session {
 public:
  enum class Outcome : uint8_t {
    Done,
    NeedMore,  // Of the peer.
    End,       // The peer's close_notify.
    Failed,    // takeFailure() has why. What is in out() is the alert.
  };

  static std::unique_ptr<Session> server(std::shared_ptr<const ServerContext> context);
  static std::unique_ptr<Session> client(std::shared_ptr<const ClientContext> context, std::string server_name,
                                         std::string expected_name, const std::vector<std::string>& alpn_fallback,
                                         SessionStore* sessions);
  ~Session();

  // The peer's bytes, appended by the owner and taken from here; ours, put here and taken by the owner.
  base::BufferChain& in() { return in_; }
  base::BufferChain& out() { return out_; }

  Outcome handshake();
  // Decrypts one record's worth to the end of plain.
  Outcome read(base::BufferChain& plain);
  // Encrypts all of plain. Failed only if the connection is.
  Outcome write(base::BufferChain& plain);
  void sendCloseNotify();
  // Whether a handshake reached its end without fault, so that close_notify is in place.
  bool healthy() const { return healthy_; }

  // "TLS_error:|...:TLS_error_end"
  std::string takeFailure();
  // Counts the completed handshake and tells what it came to.
  std::shared_ptr<const net::TlsInfo> conclude(base::MonotonicTime began);

 private:
  Session() = default;
  void adopt(SslPtr ssl);
  Outcome outcomeOf(int result);
  void countFailure();
  void describePeer(net::TlsInfo& info) const;
  static const BIO_METHOD* chainMethod();

  // Keeps certificates, validator and counters alive; one of the two is set.
  std::shared_ptr<const ServerContext> server_;
  std::shared_ptr<const ClientContext> client_;
  Handshake handshake_;
  base::BufferChain in_;
  base::BufferChain out_;
  std::string failure_;
  bool healthy_ = false;
  bool broken_ = false;
  SslPtr ssl_;  // The last: freed first, as it points to what is above.
};

}  // namespace weir::tls
