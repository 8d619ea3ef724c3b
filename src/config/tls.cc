// envoy.extensions.transport_sockets.tls.v3: what a TLS transport does, and the secrets that it takes.
#include <envoy/extensions/transport_sockets/tls/v3/tls.pb.h>

#include "config/support.h"
#include "config/tls_values.h"
#include "config/values.h"

namespace weir::config {
namespace {

namespace v3 = envoy::extensions::transport_sockets::tls::v3;
using envoy::config::core::v3::DataSource;

tls::Version convertVersion(v3::TlsParameters::TlsProtocol version) {
  switch (version) {
    case v3::TlsParameters::TLSv1_0: return tls::Version::Tls10;
    case v3::TlsParameters::TLSv1_1: return tls::Version::Tls11;
    case v3::TlsParameters::TLSv1_2: return tls::Version::Tls12;
    case v3::TlsParameters::TLSv1_3: return tls::Version::Tls13;
    default: return tls::Version::Auto;
  }
}

tls::ParametersSpec convertParameters(const v3::TlsParameters& parameters) {
  tls::ParametersSpec spec;
  spec.min = convertVersion(parameters.tls_minimum_protocol_version());
  spec.max = convertVersion(parameters.tls_maximum_protocol_version());
  spec.ciphers.assign(parameters.cipher_suites().begin(), parameters.cipher_suites().end());
  spec.curves.assign(parameters.ecdh_curves().begin(), parameters.ecdh_curves().end());
  spec.signatures.assign(parameters.signature_algorithms().begin(), parameters.signature_algorithms().end());
  return spec;
}

tls::StringRule convertRule(const envoy::type::matcher::v3::StringMatcher& matcher, const Place& place) {
  using Form = tls::StringRule::Form;
  const bool fold = matcher.ignore_case();
  switch (matcher.match_pattern_case()) {
    case envoy::type::matcher::v3::StringMatcher::kExact: return {Form::Exact, matcher.exact(), fold};
    case envoy::type::matcher::v3::StringMatcher::kPrefix: return {Form::Prefix, matcher.prefix(), fold};
    case envoy::type::matcher::v3::StringMatcher::kSuffix: return {Form::Suffix, matcher.suffix(), fold};
    case envoy::type::matcher::v3::StringMatcher::kContains: return {Form::Contains, matcher.contains(), fold};
    case envoy::type::matcher::v3::StringMatcher::kSafeRegex:
      return {Form::Regex, convertRegex(matcher.safe_regex(), place.field("safe_regex")), fold};
    default: return {};  // Reported by the rules or the tables.
  }
}

tls::SanMatcher::Type convertSanType(v3::SubjectAltNameMatcher::SanType type, const Place& place) {
  using Type = tls::SanMatcher::Type;
  switch (type) {
    case v3::SubjectAltNameMatcher::EMAIL: return Type::Email;
    case v3::SubjectAltNameMatcher::DNS: return Type::Dns;
    case v3::SubjectAltNameMatcher::URI: return Type::Uri;
    case v3::SubjectAltNameMatcher::IP_ADDRESS: return Type::Ip;
    case v3::SubjectAltNameMatcher::OTHER_NAME: place.unsupported("san_type OTHER_NAME"); break;
    default: break;
  }
  return Type::Any;
}

// A secret's name, and the file that holds it unless it is one of static_resources.secrets.
tls::SecretReference convertReference(const v3::SdsSecretConfig& config, const Place& place) {
  tls::SecretReference reference;
  reference.name = config.name();
  if (!config.has_sds_config()) return reference;
  const auto& source = config.sds_config();
  reference.path = source.path().empty() ? source.path_config_source().path() : source.path();
  reference.watched_directory = source.path_config_source().watched_directory().path();
  if (reference.path.empty()) {
    place.field("sds_config")
        .unsupported("a secret that comes from a control plane (SDS other than by path_config_source)");
  }
  return reference;
}

const v3::Secret* findSecret(const tls::SecretReference& reference, const Place& place, const Conversion& conversion) {
  const auto found = conversion.secrets.find(reference.name);
  if (found != conversion.secrets.end()) return &found->second;
  place.field("name").fault(FaultKind::Conflict, fmt::format("unknown static secret '{}'", reference.name));
  return nullptr;
}

void wrongSecret(const Place& place, std::string_view expected) {
  place.field("name").fault(FaultKind::Conflict, fmt::format("the secret is no {}", expected));
}

void takeValidationSecret(const v3::SdsSecretConfig& config, const Place& place, const Conversion& conversion,
                          tls::CommonSpec& spec) {
  tls::SecretReference reference = convertReference(config, place);
  if (config.has_sds_config()) {
    spec.validation_secret = std::move(reference);
    return;
  }
  const v3::Secret* secret = findSecret(reference, place, conversion);
  if (secret == nullptr) return;
  if (!secret->has_validation_context()) return wrongSecret(place, "validation_context");
  const auto validation = convertValidation(secret->validation_context(), place, conversion.options);
  spec.validation = spec.validation ? tls::merged(*spec.validation, validation) : validation;
}

void takeCertificates(const v3::CommonTlsContext& context, const Place& place, const Conversion& conversion,
                      tls::CommonSpec& spec) {
  for (int i = 0; i < context.tls_certificates_size(); i++) {
    spec.certificates.push_back(convertCertificate(
        context.tls_certificates(i), place.item("tls_certificates", static_cast<size_t>(i)), conversion.options));
  }
  for (int i = 0; i < context.tls_certificate_sds_secret_configs_size(); i++) {
    const Place here = place.item("tls_certificate_sds_secret_configs", static_cast<size_t>(i));
    const auto& config = context.tls_certificate_sds_secret_configs(i);
    tls::SecretReference reference = convertReference(config, here);
    if (config.has_sds_config()) {
      spec.certificate_secrets.push_back(std::move(reference));
      continue;
    }
    const v3::Secret* secret = findSecret(reference, here, conversion);
    if (secret == nullptr) continue;
    if (!secret->has_tls_certificate()) {
      wrongSecret(here, "tls_certificate");
      continue;
    }
    spec.certificates.push_back(convertCertificate(secret->tls_certificate(), here, conversion.options));
  }
}

void convertCommon(const v3::CommonTlsContext& context, const Place& place, const Conversion& conversion,
                   tls::CommonSpec& spec) {
  spec.path = place.path();
  spec.parameters = convertParameters(context.tls_params());
  spec.alpn.assign(context.alpn_protocols().begin(), context.alpn_protocols().end());
  takeCertificates(context, place, conversion, spec);
  switch (context.validation_context_type_case()) {
    case v3::CommonTlsContext::kValidationContext:
      spec.validation =
          convertValidation(context.validation_context(), place.field("validation_context"), conversion.options);
      break;
    case v3::CommonTlsContext::kValidationContextSdsSecretConfig:
      takeValidationSecret(context.validation_context_sds_secret_config(),
                           place.field("validation_context_sds_secret_config"), conversion, spec);
      break;
    case v3::CommonTlsContext::kCombinedValidationContext: {
      const Place here = place.field("combined_validation_context");
      const auto& combined = context.combined_validation_context();
      spec.validation = convertValidation(combined.default_validation_context(),
                                          here.field("default_validation_context"), conversion.options);
      takeValidationSecret(combined.validation_context_sds_secret_config(),
                           here.field("validation_context_sds_secret_config"), conversion, spec);
      break;
    }
    default: break;  // None, or refused by the tables.
  }
}

tls::StaplePolicy convertStaplePolicy(v3::DownstreamTlsContext::OcspStaplePolicy policy) {
  switch (policy) {
    case v3::DownstreamTlsContext::STRICT_STAPLING: return tls::StaplePolicy::Strict;
    case v3::DownstreamTlsContext::MUST_STAPLE: return tls::StaplePolicy::Must;
    default: return tls::StaplePolicy::Lenient;
  }
}

}  // namespace

tls::Source convertSource(const DataSource& source, const Place& place, const LoadOptions& options) {
  if (!source.filename().empty()) return {source.filename(), ""};
  return {"", readDataSource(source, place, options)};
}

tls::CertificateSpec convertCertificate(const v3::TlsCertificate& certificate, const Place& place,
                                        const LoadOptions& options) {
  tls::CertificateSpec spec;
  spec.chain = convertSource(certificate.certificate_chain(), place.field("certificate_chain"), options);
  spec.key = convertSource(certificate.private_key(), place.field("private_key"), options);
  spec.password = convertSource(certificate.password(), place.field("password"), options);
  spec.pkcs12 = convertSource(certificate.pkcs12(), place.field("pkcs12"), options);
  spec.ocsp_staple = convertSource(certificate.ocsp_staple(), place.field("ocsp_staple"), options);
  spec.watched_directory = certificate.watched_directory().path();
  if (spec.pkcs12.given() && (spec.chain.given() || spec.key.given())) {
    place.field("pkcs12").fault(FaultKind::Conflict,
                                "stands in place of certificate_chain and private_key, not beside them");
  }
  if (!spec.pkcs12.given() && !spec.chain.given())
    place.field("certificate_chain").fault(FaultKind::Rule, "is required");
  if (!spec.pkcs12.given() && !spec.key.given()) place.field("private_key").fault(FaultKind::Rule, "is required");
  return spec;
}

tls::ValidationSpec convertValidation(const v3::CertificateValidationContext& context, const Place& place,
                                      const LoadOptions& options) {
  tls::ValidationSpec spec;
  spec.trusted_ca = convertSource(context.trusted_ca(), place.field("trusted_ca"), options);
  spec.system_roots = context.has_system_root_certs();
  spec.crl = convertSource(context.crl(), place.field("crl"), options);
  for (int i = 0; i < context.match_typed_subject_alt_names_size(); i++) {
    const Place here = place.item("match_typed_subject_alt_names", static_cast<size_t>(i));
    const auto& matcher = context.match_typed_subject_alt_names(i);
    spec.sans.push_back({convertSanType(matcher.san_type(), here.field("san_type")),
                         convertRule(matcher.matcher(), here.field("matcher"))});
  }
  for (int i = 0; i < context.match_subject_alt_names_size(); i++) {
    spec.sans.push_back(
        {tls::SanMatcher::Type::Any, convertRule(context.match_subject_alt_names(i),
                                                 place.item("match_subject_alt_names", static_cast<size_t>(i)))});
  }
  spec.certificate_hashes.assign(context.verify_certificate_hash().begin(), context.verify_certificate_hash().end());
  spec.spkis.assign(context.verify_certificate_spki().begin(), context.verify_certificate_spki().end());
  spec.allow_expired = context.allow_expired_certificate();
  spec.accept_untrusted = context.trust_chain_verification() == v3::CertificateValidationContext::ACCEPT_UNTRUSTED;
  spec.only_leaf_crl = context.only_verify_leaf_cert_crl();
  spec.suppress_ca_list = context.suppress_client_ca_list();
  if (context.has_max_verify_depth()) spec.max_depth = context.max_verify_depth().value();
  spec.watched_directory = context.watched_directory().path();
  return spec;
}

tls::ServerSpec convertDownstreamTls(const v3::DownstreamTlsContext& context, const Place& place,
                                     const Conversion& conversion) {
  tls::ServerSpec spec;
  convertCommon(context.common_tls_context(), place.field("common_tls_context"), conversion, spec);
  if (spec.certificates.empty() && spec.certificate_secrets.empty()) {
    place.field("common_tls_context").fault(FaultKind::Rule, "No TLS certificates found for server context");
  }
  spec.require_client_certificate = context.require_client_certificate().value();
  spec.stateless_resumption = !context.disable_stateless_session_resumption();
  spec.stateful_resumption = !context.disable_stateful_session_resumption();
  if (context.has_session_timeout()) {
    spec.session_timeout = convertDuration(context.session_timeout(), place.field("session_timeout"));
  }
  spec.full_scan_on_mismatch = context.full_scan_certs_on_sni_mismatch().value();
  spec.prefer_client_ciphers = context.prefer_client_ciphers();
  spec.staple_policy = convertStaplePolicy(context.ocsp_staple_policy());
  const Place keys = place.field("session_ticket_keys");
  for (int i = 0; i < context.session_ticket_keys().keys_size(); i++) {
    spec.ticket_keys.push_back(convertSource(context.session_ticket_keys().keys(i),
                                             keys.item("keys", static_cast<size_t>(i)), conversion.options));
  }
  return spec;
}

tls::ClientSpec convertUpstreamTls(const v3::UpstreamTlsContext& context, const Place& place,
                                   const Conversion& conversion) {
  tls::ClientSpec spec;
  convertCommon(context.common_tls_context(), place.field("common_tls_context"), conversion, spec);
  spec.sni = context.sni();
  spec.auto_host_sni = context.auto_host_sni();
  spec.auto_sni_san_validation = context.auto_sni_san_validation();
  if (context.has_max_session_keys()) spec.max_session_keys = context.max_session_keys().value();
  if (spec.certificates.size() + spec.certificate_secrets.size() > 1) {
    place.field("common_tls_context")
        .fault(FaultKind::Conflict, "Multiple TLS certificates are not supported for client contexts");
  }
  return spec;
}

const SupportTables& tlsSupport() {
  static constexpr std::string_view kNoProvider = "certificate providers are not served";
  static const SupportTables kTables{
      {"envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
       {{"common_tls_context"},
        {"require_client_certificate"},
        {"session_ticket_keys"},
        {"disable_stateless_session_resumption"},
        {"disable_stateful_session_resumption"},
        {"session_timeout"},
        {"ocsp_staple_policy"},
        {"full_scan_certs_on_sni_mismatch"},
        {"prefer_client_ciphers"},
        refused("require_sni", "a connection without SNI is served; match server_names in filter_chain_match instead"),
        refused("session_ticket_keys_sds_secret_config", "ticket keys are given in session_ticket_keys")}},
      {"envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
       {{"common_tls_context"},
        {"sni"},
        {"auto_host_sni"},
        {"auto_sni_san_validation"},
        {"max_session_keys"},
        refused("allow_renegotiation", "renegotiation is off"),
        noEffect("enforce_rsa_key_usage", "OpenSSL checks the key usage of every chain that it verifies")}},
      {"envoy.extensions.transport_sockets.tls.v3.CommonTlsContext",
       {{"tls_params"},
        {"tls_certificates"},
        {"tls_certificate_sds_secret_configs"},
        {"validation_context"},
        {"validation_context_sds_secret_config"},
        {"combined_validation_context"},
        {"alpn_protocols"},
        refused("tls_certificate_provider_instance", kNoProvider),
        refused("custom_tls_certificate_selector", "the certificate is chosen by the client hello"),
        refused("custom_handshaker", "OpenSSL shakes hands"),
        refused("key_log", "keys are not written to files")}},
      {"envoy.extensions.transport_sockets.tls.v3.CommonTlsContext.CombinedCertificateValidationContext",
       {{"default_validation_context"}, {"validation_context_sds_secret_config"}}},
      {"envoy.extensions.transport_sockets.tls.v3.TlsParameters",
       {{"tls_minimum_protocol_version"},
        {"tls_maximum_protocol_version"},
        {"cipher_suites"},
        {"ecdh_curves"},
        {"signature_algorithms"},
        refused("compliance_policies", "there are none")}},
      {"envoy.extensions.transport_sockets.tls.v3.TlsCertificate",
       {{"certificate_chain"},
        {"private_key"},
        {"pkcs12"},
        {"watched_directory"},
        {"password"},
        {"ocsp_staple"},
        refused("private_key_provider", "private keys are used by OpenSSL itself"),
        refused("signed_certificate_timestamp", "timestamps are not sent"),
        refused("tls_params", "parameters hold for all certificates of a context")}},
      {"envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext",
       {{"trusted_ca"},
        {"system_root_certs"},
        {"watched_directory"},
        {"verify_certificate_spki"},
        {"verify_certificate_hash"},
        {"match_typed_subject_alt_names"},
        {"match_subject_alt_names"},
        {"crl"},
        {"allow_expired_certificate"},
        {"trust_chain_verification"},
        {"only_verify_leaf_cert_crl"},
        {"max_verify_depth"},
        {"suppress_client_ca_list"},
        refused("ca_certificate_provider_instance", kNoProvider),
        refused("require_signed_certificate_timestamp", "Envoy does not check them either"),
        refused("custom_validator_config", "there is one validator")}},
      {"envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext.SystemRootCerts", {}},
      {"envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher",
       {{"san_type"}, {"matcher"}, refused("oid", "it belongs to OTHER_NAME")}},
      {"envoy.extensions.transport_sockets.tls.v3.TlsSessionTicketKeys", {{"keys"}}},
      {"envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig", {{"name"}, {"sds_config"}}},
      {"envoy.extensions.transport_sockets.tls.v3.Secret",
       {{"name"},
        {"tls_certificate"},
        {"validation_context"},
        refused("session_ticket_keys", "ticket keys are given in DownstreamTlsContext.session_ticket_keys"),
        refused("generic_secret", "nothing reads generic secrets")}},
  };
  return kTables;
}

}  // namespace weir::config
