#include "tls/certificate.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

namespace weir::tls {
namespace {

using NamesPtr = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, Free<BN_free>>;

std::string contents(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

std::string nameText(const X509_NAME* name) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253);
  return contents(out.get());
}

std::string serialOf(X509* certificate) {
  const NumberPtr number(ASN1_INTEGER_to_BN(X509_get_serialNumber(certificate), nullptr));
  if (number == nullptr) return {};
  std::string bytes(static_cast<size_t>(BN_num_bytes(number.get())), '\0');
  BN_bn2bin(number.get(), reinterpret_cast<unsigned char*>(bytes.data()));
  return bytes.empty() ? "00" : hex(bytes);
}

int64_t secondsOf(const ASN1_TIME* time) {
  tm parts{};
  return time != nullptr && ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

std::string addressText(const ASN1_OCTET_STRING* address) {
  char text[INET6_ADDRSTRLEN] = {};
  const int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
  if (family == AF_INET6 && ASN1_STRING_length(address) != 16) return {};
  inet_ntop(family, ASN1_STRING_get0_data(address), text, sizeof text);
  return text;
}

std::string stringOf(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<size_t>(ASN1_STRING_length(text))};
}

std::string digestHex(X509* certificate, const EVP_MD* kind) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(certificate, kind, digest, &size) != 1) return {};
  return hex({reinterpret_cast<const char*>(digest), size});
}

}  // namespace

std::vector<SanName> sanNames(X509* certificate) {
  std::vector<SanName> out;
  const NamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  ERR_clear_error();
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    switch (name->type) {
      case GEN_DNS:
      case GEN_URI:
      case GEN_EMAIL: out.push_back({name->type, stringOf(name->d.ia5)}); break;
      case GEN_IPADD: out.push_back({name->type, addressText(name->d.iPAddress)}); break;
      default: break;
    }
  }
  return out;
}

net::CertificateInfo describe(X509* certificate) {
  net::CertificateInfo info;
  info.subject = nameText(X509_get_subject_name(certificate));
  info.issuer = nameText(X509_get_issuer_name(certificate));
  info.serial_number = serialOf(certificate);
  info.sha256 = digestHex(certificate, EVP_sha256());
  info.sha1 = digestHex(certificate, EVP_sha1());
  info.valid_from = secondsOf(X509_get0_notBefore(certificate));
  info.valid_until = secondsOf(X509_get0_notAfter(certificate));
  for (SanName& name : sanNames(certificate)) {
    if (name.type == GEN_DNS) info.dns_sans.push_back(std::move(name.text));
    if (name.type == GEN_URI) info.uri_sans.push_back(std::move(name.text));
    if (name.type == GEN_EMAIL) info.email_sans.push_back(std::move(name.text));
    if (name.type == GEN_IPADD) info.ip_sans.push_back(std::move(name.text));
  }
  return info;
}

// Envoy encodes what base64 and the armour's lines hold of unsafe characters, and nothing else.
std::string urlEncodedPem(X509* certificate) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate);
  std::string encoded;
  for (const char c : contents(out.get())) {
    switch (c) {
      case '\n': encoded += "%0A"; break;
      case ' ': encoded += "%20"; break;
      case '+': encoded += "%2B"; break;
      case '/': encoded += "%2F"; break;
      case '=': encoded += "%3D"; break;
      default: encoded += c;
    }
  }
  return encoded;
}

std::string derOf(X509* certificate) {
  const int size = i2d_X509(certificate, nullptr);
  if (size <= 0) return {};
  std::string der(static_cast<size_t>(size), '\0');
  auto* at = reinterpret_cast<unsigned char*>(der.data());
  i2d_X509(certificate, &at);
  return der;
}

std::string spkiDigest(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return {};
  std::string digest = sha256({reinterpret_cast<const char*>(der), static_cast<size_t>(size)});
  OPENSSL_free(der);
  return digest;
}

base::Result<std::vector<X509Ptr>> readCertificates(std::string_view pem) {
  ERR_clear_error();
  const BioPtr bio = bioOf(pem);
  std::vector<X509Ptr> all;
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) all.emplace_back(certificate);
  const unsigned long error = ERR_peek_last_error();
  const bool at_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (!at_end || all.empty()) {
    return operatorError(at_end ? "it holds no certificate" : "it holds a broken certificate: " + takeErrorWords());
  }
  ERR_clear_error();
  return all;
}

}  // namespace weir::tls
