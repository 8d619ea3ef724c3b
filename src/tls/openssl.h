// OpenSSL's objects as owned values. For the sources of this folder only.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir::tls {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using SslPtr = std::unique_ptr<SSL, Free<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using X509Ptr = std::unique_ptr<X509, Free<X509_free>>;
using StorePtr = std::unique_ptr<X509_STORE, Free<X509_STORE_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, Free<BIO_free_all>>;

// For reading; the text must outlive it.
BioPtr bioOf(std::string_view text);

// Takes what OpenSSL has to say about the last failure, and clears it. Envoy's form, as its logs and error bodies have
// it: "TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:<detail>:TLS_error_end".
std::string takeTlsError(std::string_view detail = {});
// The same for a person: OpenSSL's words alone.
std::string takeErrorWords();

base::Error operatorError(std::string detail);

std::string hex(std::string_view bytes);
std::string sha256(std::string_view bytes);

}  // namespace weir::tls
