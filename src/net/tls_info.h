// What a TLS handshake has settled, as plain data: for headers, properties and access logs, which know no TLS library.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"

namespace weir::net {

// A certificate as its holder or peer reads it. Empty strings where there is none.
struct CertificateInfo {
  std::string subject;         // RFC 2253
  std::string issuer;          // RFC 2253
  std::string serial_number;   // Lower-case hex
  std::string sha256;          // Of the DER form, lower-case hex
  std::string sha1;            // As sha256
  std::string pem_urlencoded;  // For x-forwarded-client-cert; only filled for peers
  std::string chain_pem_urlencoded;
  std::vector<std::string> uri_sans;
  std::vector<std::string> dns_sans;
  std::vector<std::string> ip_sans;
  std::vector<std::string> email_sans;
  int64_t valid_from = 0;  // Seconds since the epoch; 0 if there is no certificate.
  int64_t valid_until = 0;
};

// Of one connection, complete once its handshake is. Immutable afterwards.
struct TlsInfo : std::enable_shared_from_this<TlsInfo> {
  std::string version;                    // "TLSv1.3"
  std::string cipher;                     // IANA name, for example TLS_AES_128_GCM_SHA256
  std::string alpn;                       // Empty if none was agreed on.
  std::string requested_server_name;      // SNI
  std::string session_id;                 // Hex
  base::MonotonicTime handshake_began{};  // Of a client: when the connection beneath was there.
  bool resumed = false;
  bool peer_certificate_presented = false;
  bool peer_certificate_validated = false;
  CertificateInfo local;
  CertificateInfo peer;
};

}  // namespace weir::net
