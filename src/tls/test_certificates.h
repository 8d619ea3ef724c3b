// Certificates made at test time.
#pragma once

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <string>

#include "tls/openssl.h"

namespace weir::tls {

struct TestCertificate {
  std::string pem;
  std::string key_pem;
  X509Ptr x509;
  KeyPtr key;
};

struct TestCertificateWish {
  std::string common_name = "test";
  std::string sans = {};  // As in openssl.cnf: "DNS:a.example,URI:spiffe://x"
  const TestCertificate* issuer = nullptr;
  bool is_ca = false;
  bool rsa = false;
  long from = -3600;  // Seconds from now.
  long until = 3600;
};

inline std::string pemOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

inline TestCertificate makeCertificate(const TestCertificateWish& wish) {
  static long serial = 1;
  TestCertificate out;
  out.key.reset(wish.rsa ? EVP_RSA_gen(2048u) : EVP_EC_gen("P-256"));
  out.x509.reset(X509_new());
  X509* x509 = out.x509.get();
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
  X509_gmtime_adj(X509_getm_notBefore(x509), wish.from);
  X509_gmtime_adj(X509_getm_notAfter(x509), wish.until);
  X509_set_pubkey(x509, out.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1, -1, 0);
  X509* issuer = wish.issuer == nullptr ? x509 : wish.issuer->x509.get();
  X509_set_issuer_name(x509, X509_get_subject_name(issuer));
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, x509, nullptr, nullptr, 0);
  const auto extend = [&](int nid, const char* value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
  };
  extend(NID_basic_constraints, wish.is_ca ? "critical,CA:TRUE" : "CA:FALSE");
  if (!wish.sans.empty()) extend(NID_subject_alt_name, wish.sans.c_str());
  X509_sign(x509, wish.issuer == nullptr ? out.key.get() : wish.issuer->key.get(), EVP_sha256());
  const BioPtr pem(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(pem.get(), x509);
  out.pem = pemOf(pem.get());
  const BioPtr key(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(key.get(), out.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  out.key_pem = pemOf(key.get());
  return out;
}

}  // namespace weir::tls
