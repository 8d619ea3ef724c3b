#include "tls/context_parts.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <mutex>

#include "tls/source.h"

namespace weir::tls {
namespace {

using Pkcs12Ptr = std::unique_ptr<PKCS12, Free<PKCS12_free>>;

// Envoy's defaults without its post-quantum group, which OpenSSL 3.0 does not have.
constexpr std::string_view kDefaultCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";
constexpr const char* kTls13Ciphers = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kDefaultCurves = "X25519:P-256";

// The machine's openssl.cnf must not change what a configuration means.
void initialiseOnce() {
  static std::once_flag once;
  std::call_once(once, [] { OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr); });
}

int wireVersion(Version version, int otherwise) {
  switch (version) {
    case Version::Auto: return otherwise;
    case Version::Tls10: return TLS1_VERSION;
    case Version::Tls11: return TLS1_1_VERSION;
    case Version::Tls12: return TLS1_2_VERSION;
    case Version::Tls13: return TLS1_3_VERSION;
  }
  return otherwise;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ":") + word;
  return out;
}

// "[A|B]" means that A and B are as good as each other, the client choosing. OpenSSL knows that for ChaCha20 alone.
std::string flattened(std::string list, bool& groups) {
  std::string out;
  for (const char c : list) {
    groups = groups || c == '|';
    if (c == '|') {
      out += ':';
    } else if (c != '[' && c != ']') {
      out += c;
    }
  }
  return out;
}

int passwordCallback(char* buffer, int size, int, void* data) {
  const auto& password = *static_cast<const std::string*>(data);
  const int length = std::min(size, static_cast<int>(password.size()));
  std::memcpy(buffer, password.data(), static_cast<size_t>(length));
  return length;
}

base::Result<void> loadPkcs12(const CertificateSpec& spec, std::string password, LoadedCertificate& out) {
  auto bytes = read(spec.pkcs12);
  if (!bytes.ok()) return std::move(bytes).error();
  const BioPtr bio = bioOf(*bytes);
  const Pkcs12Ptr store(d2i_PKCS12_bio(bio.get(), nullptr));
  EVP_PKEY* key = nullptr;
  X509* leaf = nullptr;
  STACK_OF(X509)* others = nullptr;
  if (store == nullptr || PKCS12_parse(store.get(), password.c_str(), &key, &leaf, &others) != 1 || leaf == nullptr ||
      key == nullptr) {
    return operatorError("Failed to load pkcs12: " + takeErrorWords());
  }
  out.key.reset(key);
  out.chain.emplace_back(leaf);
  // PKCS12_parse() gives them the wrong way round before 3.0, and in order since.
  for (int i = 0; others != nullptr && i < sk_X509_num(others); ++i) out.chain.emplace_back(sk_X509_value(others, i));
  sk_X509_free(others);
  return base::Ok{};
}

base::Result<void> loadPem(const CertificateSpec& spec, std::string password, LoadedCertificate& out) {
  auto chain = read(spec.chain);
  if (!chain.ok()) return std::move(chain).error();
  auto key = read(spec.key);
  if (!key.ok()) return std::move(key).error();
  auto certificates = readCertificates(*chain);
  if (!certificates.ok()) {
    return std::move(certificates)
        .error()
        .in("Failed to load certificate chain from " + (spec.chain.file.empty() ? "<inline>" : spec.chain.file));
  }
  out.chain = std::move(*certificates);
  const BioPtr bio = bioOf(*key);
  out.key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, passwordCallback, &password));
  if (out.key == nullptr) {
    return operatorError(fmt::format("Failed to load private key from {}: {}",
                                     spec.key.file.empty() ? "<inline>" : spec.key.file, takeErrorWords()));
  }
  return base::Ok{};
}

void readNames(LoadedCertificate& out) {
  X509* leaf = out.chain.front().get();
  for (SanName& name : sanNames(leaf)) {
    if (name.type == GEN_DNS) out.names.push_back(std::move(name.text));
  }
  if (out.names.empty()) {
    char common[256];
    const int size =
        X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, common, static_cast<int>(sizeof common));
    if (size > 0) out.names.emplace_back(common, static_cast<size_t>(size));
  }
  for (std::string& name : out.names) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  }
}

base::Result<void> checkKey(LoadedCertificate& out) {
  ERR_clear_error();
  if (X509_check_private_key(out.chain.front().get(), out.key.get()) != 1) {
    return operatorError("Failed to load private key: the certificate is for another key (" + takeErrorWords() + ")");
  }
  const int kind = EVP_PKEY_get_base_id(out.key.get());
  if (kind == EVP_PKEY_RSA && EVP_PKEY_get_bits(out.key.get()) < 2048) {
    return operatorError(
        "Failed to load certificate chain: only RSA certificates with 2048-bit or larger keys are supported");
  }
  out.is_ec = kind == EVP_PKEY_EC;
  if (!out.is_ec) return base::Ok{};
  char group[64] = {};
  EVP_PKEY_get_group_name(out.key.get(), group, sizeof group, nullptr);
  out.curve = OBJ_txt2nid(group);
  const bool known = out.curve == NID_X9_62_prime256v1 || out.curve == NID_secp384r1 || out.curve == NID_secp521r1;
  if (known) return base::Ok{};
  return operatorError("Failed to load certificate chain: only P-256, P-384 or P-521 ECDSA certificates are supported");
}

// RFC 7633 4: status_request among the features.
bool mustStaple(X509* certificate) {
  constexpr long kStatusRequest = 5;
  const std::unique_ptr<TLS_FEATURE, Free<TLS_FEATURE_free>> features(
      static_cast<TLS_FEATURE*>(X509_get_ext_d2i(certificate, NID_tlsfeature, nullptr, nullptr)));
  if (features == nullptr) return false;
  for (int i = 0; i < sk_ASN1_INTEGER_num(features.get()); ++i) {
    if (ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features.get(), i)) == kStatusRequest) return true;
  }
  return false;
}

// RFC 6960 4.2: that it is a response about this certificate alone, and until when it is valid.
base::Result<void> checkStaple(LoadedCertificate& out) {
  if (out.staple.empty()) return base::Ok{};
  const auto* at = reinterpret_cast<const unsigned char*>(out.staple.data());
  const std::unique_ptr<OCSP_RESPONSE, Free<OCSP_RESPONSE_free>> response(
      d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(out.staple.size())));
  const std::unique_ptr<OCSP_BASICRESP, Free<OCSP_BASICRESP_free>> basic(
      response == nullptr ? nullptr : OCSP_response_get1_basic(response.get()));
  if (basic == nullptr || OCSP_resp_count(basic.get()) != 1) {
    ERR_clear_error();
    return operatorError("the OCSP response is none, or not of one certificate");
  }
  OCSP_SINGLERESP* const single = OCSP_resp_get0(basic.get(), 0);
  ASN1_INTEGER* serial = nullptr;
  OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial, const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(single)));
  if (ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(out.chain.front().get())) != 0) {
    return operatorError("OCSP response does not match its TLS certificate");
  }
  ASN1_GENERALIZEDTIME* until = nullptr;
  OCSP_single_get0_status(single, nullptr, nullptr, nullptr, &until);
  tm parts{};
  if (until != nullptr && ASN1_TIME_to_tm(until, &parts) == 1) out.staple_until = timegm(&parts);
  return base::Ok{};
}

int verifyCallback(X509_STORE_CTX* store, void* data) {
  const auto* ssl = static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Handshake& handshake = handshakeOf(ssl);
  return static_cast<const Validator*>(data)->judge(store, handshake.judgement, *handshake.stats);
}

}  // namespace

Handshake& handshakeOf(const SSL* ssl) { return *static_cast<Handshake*>(SSL_get_app_data(ssl)); }

base::Result<std::shared_ptr<const LoadedCertificate>> loadCertificate(const CertificateSpec& spec) {
  initialiseOnce();
  auto out = std::make_shared<LoadedCertificate>();
  auto password = read(spec.password);
  if (!password.ok()) return std::move(password).error();
  auto loaded = spec.pkcs12.given() ? loadPkcs12(spec, *password, *out) : loadPem(spec, *password, *out);
  if (loaded.ok()) loaded = checkKey(*out);
  if (!loaded.ok()) return std::move(loaded).error();
  auto staple = read(spec.ocsp_staple);
  if (!staple.ok()) return std::move(staple).error();
  out->staple = std::move(*staple);
  out->must_staple = mustStaple(out->chain.front().get());
  if (auto checked = checkStaple(*out); !checked.ok()) return std::move(checked).error();
  readNames(*out);
  out->info = std::make_shared<const net::CertificateInfo>(describe(out->chain.front().get()));
  return std::shared_ptr<const LoadedCertificate>(std::move(out));
}

base::Result<SslContextPtr> createSslContext(const SSL_METHOD* method, const ParametersSpec& parameters) {
  initialiseOnce();
  ERR_clear_error();
  SslContextPtr context(SSL_CTX_new(method));
  CHECK(context != nullptr);
  SSL_CTX* raw = context.get();
  const int min = wireVersion(parameters.min, TLS1_2_VERSION);
  // As Envoy: towards upstreams TLS 1.2 unless the configuration says more.
  const bool client = method == TLS_client_method();
  const int max = wireVersion(parameters.max, client ? std::max(min, TLS1_2_VERSION) : TLS1_3_VERSION);
  if (min > max) return operatorError("tls_minimum_protocol_version is above tls_maximum_protocol_version");
  SSL_CTX_set_min_proto_version(raw, min);
  SSL_CTX_set_max_proto_version(raw, max);
  // Level 1 refuses the broken. What TLS before 1.2 signs with is among that: who asks for it must have it.
  SSL_CTX_set_security_level(raw, min < TLS1_2_VERSION ? 0 : 1);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_max_early_data(raw, 0);

  bool groups = parameters.ciphers.empty();
  const std::string ciphers =
      parameters.ciphers.empty() ? std::string(kDefaultCiphers) : flattened(joined(parameters.ciphers), groups);
  if (groups) SSL_CTX_set_options(raw, SSL_OP_PRIORITIZE_CHACHA);
  if (SSL_CTX_set_cipher_list(raw, ciphers.c_str()) != 1) {
    ERR_clear_error();
    return operatorError("Failed to initialize cipher suites " + ciphers);
  }
  SSL_CTX_set_ciphersuites(raw, kTls13Ciphers);
  const std::string curves = parameters.curves.empty() ? kDefaultCurves : joined(parameters.curves);
  if (SSL_CTX_set1_curves_list(raw, curves.c_str()) != 1) {
    ERR_clear_error();
    return operatorError("Failed to initialize ECDH curves " + curves);
  }
  if (parameters.signatures.empty()) return context;
  const std::string signatures = joined(parameters.signatures);
  if (SSL_CTX_set1_sigalgs_list(raw, signatures.c_str()) != 1) {
    ERR_clear_error();
    return operatorError("Failed to initialize TLS signature algorithms " + signatures);
  }
  return context;
}

base::Result<std::string> alpnWire(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255) return operatorError("Invalid ALPN protocol string");
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  return wire;
}

base::Result<void> useCertificate(SSL_CTX* context, const LoadedCertificate& certificate) {
  STACK_OF(X509)* issuers = sk_X509_new_null();
  for (size_t i = 1; i < certificate.chain.size(); ++i) sk_X509_push(issuers, certificate.chain[i].get());
  const int used =
      SSL_CTX_use_cert_and_key(context, certificate.chain.front().get(), certificate.key.get(), issuers, 1);
  sk_X509_free(issuers);
  if (used == 1) return base::Ok{};
  return operatorError("Failed to load certificate chain: " + takeErrorWords());
}

void installValidator(SSL_CTX* context, const Validator* validator, bool server) {
  if (validator == nullptr) return;
  validator->configure(context, server);
  SSL_CTX_set_cert_verify_callback(context, verifyCallback, const_cast<Validator*>(validator));
}

std::vector<std::string> filesOf(const CommonSpec& spec) {
  std::vector<std::string> files;
  const auto add = [&files](const std::string& directory, std::initializer_list<const Source*> sources) {
    bool any = false;
    for (const Source* source : sources) {
      if (source->file.empty()) continue;
      any = true;
      if (directory.empty()) files.push_back(source->file);
    }
    if (any && !directory.empty()) files.push_back(directory);
  };
  for (const CertificateSpec& certificate : spec.certificates) {
    add(certificate.watched_directory,
        {&certificate.chain, &certificate.key, &certificate.password, &certificate.pkcs12, &certificate.ocsp_staple});
  }
  if (spec.validation) add(spec.validation->watched_directory, {&spec.validation->trusted_ca, &spec.validation->crl});
  return files;
}

}  // namespace weir::tls
