#include "tls/openssl.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

namespace weir::tls {
namespace {

// Envoy stands on BoringSSL, whose reasons have other numbers and, for a few, other names. What people search for in
// logs are these.
struct Reason {
  int openssl;
  int boring;
  std::string_view name;
};

constexpr std::array kReasons{
    Reason{SSL_R_CERTIFICATE_VERIFY_FAILED, 125, "CERTIFICATE_VERIFY_FAILED"},
    Reason{SSL_R_WRONG_VERSION_NUMBER, 247, "WRONG_VERSION_NUMBER"},
    Reason{SSL_R_HTTP_REQUEST, 156, "HTTP_REQUEST"},
    Reason{SSL_R_HTTPS_PROXY_REQUEST, 155, "HTTPS_PROXY_REQUEST"},
    Reason{SSL_R_NO_SHARED_CIPHER, 184, "NO_SHARED_CIPHER"},
    Reason{SSL_R_UNSUPPORTED_PROTOCOL, 240, "UNSUPPORTED_PROTOCOL"},
    Reason{SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, 192, "PEER_DID_NOT_RETURN_A_CERTIFICATE"},
    Reason{SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, 253, "NO_COMMON_SIGNATURE_ALGORITHMS"},
    Reason{SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, 253, "NO_COMMON_SIGNATURE_ALGORITHMS"},
    Reason{SSL_R_NO_SHARED_GROUPS, 184, "NO_SHARED_GROUP"},
    Reason{SSL_R_UNEXPECTED_MESSAGE, 223, "UNEXPECTED_MESSAGE"},
    Reason{SSL_R_LENGTH_MISMATCH, 158, "LENGTH_MISMATCH"},
    Reason{SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, 139, "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"},
    Reason{SSL_R_PACKET_LENGTH_TOO_LONG, 137, "ENCRYPTED_LENGTH_TOO_LONG"},
    Reason{SSL_R_NO_APPLICATION_PROTOCOL, 307, "NO_APPLICATION_PROTOCOL"},
    Reason{SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, 1116, "TLSV1_ALERT_CERTIFICATE_REQUIRED"},
};

// Alerts of the peer are 1000 and the alert's number in both libraries.
Reason reasonOf(unsigned long error) {
  const int reason = ERR_GET_REASON(error);
  for (const Reason& known : kReasons) {
    if (known.openssl == reason) return known;
  }
  return {reason, reason, {}};
}

std::string upperCased(const char* words) {
  std::string name = words == nullptr ? "UNKNOWN" : words;
  for (char& c : name) c = c == ' ' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

constexpr unsigned kBoringSslLibrary = 16;

}  // namespace

BioPtr bioOf(std::string_view text) { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::string takeTlsError(std::string_view detail) {
  std::string out;
  while (const unsigned long error = ERR_get_error()) {
    const Reason reason = reasonOf(error);
    const bool of_ssl = ERR_GET_LIB(error) == ERR_LIB_SSL;
    const std::string name =
        of_ssl && !reason.name.empty() ? std::string(reason.name) : upperCased(ERR_reason_error_string(error));
    const unsigned long number = of_ssl ? (kBoringSslLibrary << 24 | static_cast<unsigned>(reason.boring)) : error;
    out += fmt::format("{}|{}:{}:OPENSSL_internal:{}", out.empty() ? "TLS_error:" : ":", number,
                       of_ssl ? "SSL routines" : ERR_lib_error_string(error), name);
    if (!of_ssl) break;  // What lies below it (an ASN.1 path) is of no use to a reader.
    if (reason.boring == 125 && !detail.empty()) out += fmt::format(":{}", detail);
  }
  ERR_clear_error();
  return out.empty() ? out : out + ":TLS_error_end";
}

std::string takeErrorWords() {
  const unsigned long error = ERR_peek_last_error();
  const char* words = error == 0 ? nullptr : ERR_reason_error_string(error);
  ERR_clear_error();
  return words == nullptr ? "unknown error" : words;
}

base::Error operatorError(std::string detail) {
  return {base::Code::InvalidArgument, base::Side::Operator, base::Retry::No, std::move(detail)};
}

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const unsigned char byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string sha256(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

}  // namespace weir::tls
