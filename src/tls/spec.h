// What a TLS transport is configured to do, as plain data: after envoy.extensions.transport_sockets.tls.v3.
//
// Files are named, not read: whoever makes a context reads them then, so that making it again is a reload.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace weir::tls {

// Bytes from a file, or as they are. Neither: nothing is configured.
struct Source {
  std::string file;
  std::string bytes;
  bool given() const { return !file.empty() || !bytes.empty(); }
};

struct CertificateSpec {
  Source chain;     // PEM: the leaf first, then its issuers.
  Source key;       // PEM
  Source password;  // Of the key or the PKCS 12 store.
  Source pkcs12;    // In place of chain and key.
  Source ocsp_staple;
  std::string watched_directory;  // Empty: the files themselves are watched.
};

struct StringRule {
  enum class Form : uint8_t { Exact, Prefix, Suffix, Contains, Regex };
  Form form = Form::Exact;
  std::string text;
  bool ignore_case = false;
};

struct SanMatcher {
  enum class Type : uint8_t { Any, Email, Dns, Uri, Ip };  // Any: the deprecated match_subject_alt_names.
  Type type = Type::Any;
  StringRule rule;
};

struct ValidationSpec {
  Source trusted_ca;          // PEM
  bool system_roots = false;  // The machine's own CAs, where Debian keeps them.
  Source crl;                 // PEM
  std::vector<SanMatcher> sans;
  std::vector<std::string> certificate_hashes;  // SHA-256 of the DER form in hex, with or without colons.
  std::vector<std::string> spkis;               // Base64 of the SHA-256 of the public key.
  bool allow_expired = false;
  bool accept_untrusted = false;  // The outcome is only told.
  bool only_leaf_crl = false;
  bool suppress_ca_list = false;  // A server names no authorities to its clients.
  std::optional<uint32_t> max_depth;
  std::string watched_directory;
};

// over's fields in place of base's where they are set, its lists behind base's: a combined validation context.
ValidationSpec merged(ValidationSpec base, const ValidationSpec& over);

enum class Version : uint8_t { Auto, Tls10, Tls11, Tls12, Tls13 };

struct ParametersSpec {
  Version min = Version::Auto;            // Auto: TLS 1.2
  Version max = Version::Auto;            // Auto: TLS 1.3 for servers, TLS 1.2 for clients
  std::vector<std::string> ciphers;       // TLS 1.2 and before, by OpenSSL's names; groups as Envoy's "[A|B]".
  std::vector<std::string> curves;        // In order of preference.
  std::vector<std::string> signatures{};  // By Envoy's names, for example rsa_pss_rsae_sha256.
};

// A secret that is kept elsewhere: in static_resources.secrets (no path), or in a file that is watched.
struct SecretReference {
  std::string name;
  std::string path;
  std::string watched_directory;
};

struct CommonSpec {
  std::string path;  // Where it stood in the configuration, for messages.
  ParametersSpec parameters;
  std::vector<CertificateSpec> certificates;
  std::optional<ValidationSpec> validation;
  std::vector<std::string> alpn;
  // Resolved into the above before a context is made.
  std::vector<SecretReference> certificate_secrets;
  std::optional<SecretReference> validation_secret;
};

// What a client that asks for a stapled OCSP response gets where there is none that is valid: nothing; no connection if
// there was one that has expired; no connection.
enum class StaplePolicy : uint8_t { Lenient, Strict, Must };

struct ServerSpec : CommonSpec {
  bool require_client_certificate = false;
  bool stateless_resumption = true;
  bool stateful_resumption = true;
  std::optional<base::Duration> session_timeout;
  std::vector<Source> ticket_keys;  // 80 bytes each: name, HMAC key, AES key. The first one encrypts.
  bool full_scan_on_mismatch = false;
  bool prefer_client_ciphers = false;
  StaplePolicy staple_policy = StaplePolicy::Lenient;
};

struct ClientSpec : CommonSpec {
  std::string sni;
  bool auto_host_sni = false;            // SNI from the endpoint's hostname.
  bool auto_sni_san_validation = false;  // The certificate must be for the SNI that was sent.
  uint32_t max_session_keys = 1;
};

}  // namespace weir::tls
