// What server and client contexts are made of, and what OpenSSL's callbacks find at a connection. For the sources of
// this folder only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tls/certificate.h"
#include "tls/client_hello.h"
#include "tls/context.h"
#include "tls/openssl.h"
#include "tls/validator.h"

namespace weir::tls {

class SessionStore;

// A certificate with its key, read and found to fit each other.
struct LoadedCertificate {
  std::vector<X509Ptr> chain;
  KeyPtr key;
  bool is_ec = false;
  int curve = 0;                   // NID of an EC key's curve.
  std::vector<std::string> names;  // DNS names in lower case; the common name where there is none.
  std::string staple;              // DER; empty: none.
  int64_t staple_until = 0;        // Seconds since the epoch: its nextUpdate. 0: it has none, and is not valid.
  bool must_staple = false;        // RFC 7633: its owner promises an OCSP response.
  std::shared_ptr<const net::CertificateInfo> info;
};
base::Result<std::shared_ptr<const LoadedCertificate>> loadCertificate(const CertificateSpec& spec);

// What callbacks know of their connection; its SSL's application data.
struct Handshake {
  std::string server_name;  // The SNI a client sent, or the one that is sent.
  Judgement judgement;
  const LoadedCertificate* local = nullptr;
  const Validator* validator = nullptr;
  Stats* stats = nullptr;
  SessionStore* sessions = nullptr;
  bool alpn_mismatch = false;
};
Handshake& handshakeOf(const SSL* ssl);

// A new SSL_CTX with versions, ciphers, curves, signature algorithms, and with the switches that are the same
// everywhere.
base::Result<SslContextPtr> createSslContext(const SSL_METHOD* method, const ParametersSpec& parameters);
// As OpenSSL wants it; an entry that is empty or too long is an error.
base::Result<std::string> alpnWire(const std::vector<std::string>& protocols);
base::Result<void> useCertificate(SSL_CTX* context, const LoadedCertificate& certificate);
// Calls validator->judge() with the connection's Handshake.
void installValidator(SSL_CTX* context, const Validator* validator, bool server);

class ServerContextParts : public ServerContext {
 public:
  // In accept state; its application data is handshake, which must live as long.
  virtual SslPtr createSession(Handshake& handshake) const = 0;
};
class ClientContextParts : public ClientContext {
 public:
  // alpn_fallback counts where the spec has no ALPN.
  virtual SslPtr createSession(Handshake& handshake, const std::vector<std::string>& alpn_fallback) const = 0;
};

}  // namespace weir::tls
