// What a certificate says, for headers, properties, logs and matchers. For the sources of this folder only.
#pragma once

#include <openssl/x509.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/tls_info.h"
#include "tls/openssl.h"

namespace weir::tls {

// Everything but the PEM forms.
net::CertificateInfo describe(X509* certificate);
// The PEM form, encoded as Envoy encodes it for x-forwarded-client-cert.
std::string urlEncodedPem(X509* certificate);
std::string derOf(X509* certificate);
// SHA-256 of the DER form of the public key (RFC 7469 2.4).
std::string spkiDigest(X509* certificate);

// All certificates in a PEM text, in order. Text without one, or with a broken one, is the operator's error.
base::Result<std::vector<X509Ptr>> readCertificates(std::string_view pem);

// What a name in a subject alternative name is read as: addresses in their text form.
struct SanName {
  int type;  // GEN_DNS, ...
  std::string text;
};
std::vector<SanName> sanNames(X509* certificate);

}  // namespace weir::tls
