#include "tls/validator.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <re2/re2.h>

#include <algorithm>

#include "tls/certificate.h"
#include "tls/source.h"

namespace weir::tls {
namespace {

constexpr const char* kSystemRoots = "/etc/ssl/certs/ca-certificates.crt";  // Debian's; Envoy looks here first too.

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

std::optional<std::string> fromHex(std::string_view text) {
  std::string out;
  int half = -1;
  for (const char c : text) {
    if (c == ':') continue;
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    if (half < 0) {
      half = digit;
    } else {
      out += static_cast<char>(half * 16 + digit);
      half = -1;
    }
  }
  return half < 0 ? std::optional(out) : std::nullopt;
}

std::optional<std::string> fromBase64(const std::string& text) {
  if (text.size() % 4 != 0 || text.empty()) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  out.resize(static_cast<size_t>(size) - static_cast<size_t>(std::count(text.end() - 2, text.end(), '=')));
  return out;
}

int ignoreExpiry(int ok, X509_STORE_CTX* store) {
  if (ok == 1) return 1;
  const int error = X509_STORE_CTX_get_error(store);
  if (error != X509_V_ERR_CERT_HAS_EXPIRED && error != X509_V_ERR_CERT_NOT_YET_VALID) return 0;
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

std::string joinedNames(X509* leaf) {
  std::string out;
  for (const SanName& name : sanNames(leaf)) out += (out.empty() ? "" : ", ") + name.text;
  return out;
}

bool typeMeant(SanMatcher::Type type, int general_name) {
  switch (type) {
    case SanMatcher::Type::Any: return true;
    case SanMatcher::Type::Email: return general_name == GEN_EMAIL;
    case SanMatcher::Type::Dns: return general_name == GEN_DNS;
    case SanMatcher::Type::Uri: return general_name == GEN_URI;
    case SanMatcher::Type::Ip: return general_name == GEN_IPADD;
  }
  return false;
}

// Envoy's words.
constexpr std::string_view kByList = "certificate revocation check against provided CRLs failed: ";

}  // namespace

bool dnsNameMatches(std::string_view host, std::string_view pattern) {
  const std::string name = lowered(host);
  const std::string rule = lowered(pattern);
  if (name == rule) return true;
  if (!rule.starts_with("*.")) return false;
  const size_t dot = name.find('.');
  return dot != std::string::npos && dot > 0 && std::string_view(name).substr(dot) == std::string_view(rule).substr(1);
}

base::Result<std::shared_ptr<const Validator>> Validator::create(const ValidationSpec& spec) {
  auto validator = std::make_shared<Validator>();
  validator->store_.reset(X509_STORE_new());
  validator->accept_untrusted_ = spec.accept_untrusted;
  validator->names_authorities_ = !spec.suppress_ca_list;
  validator->max_depth_ = spec.max_depth;
  if (auto loaded = validator->loadRoots(spec); !loaded.ok()) return std::move(loaded).error();
  if (auto loaded = validator->loadCrl(spec); !loaded.ok()) return std::move(loaded).error();
  if (!spec.sans.empty() && !validator->chain_) {
    return operatorError("SAN-based verification of peer certificates without trusted CA is insecure and not allowed");
  }
  if (spec.allow_expired) X509_STORE_set_verify_cb(validator->store_.get(), ignoreExpiry);
  for (const SanMatcher& matcher : spec.sans) {
    auto rule = compile(matcher);
    if (!rule.ok()) return std::move(rule).error();
    validator->fingerprint_ += fmt::format("|san {} {}", static_cast<int>(matcher.type), matcher.rule.text);
    validator->sans_.push_back(std::move(*rule));
  }
  for (const std::string& text : spec.certificate_hashes) {
    const auto digest = fromHex(text);
    if (!digest || digest->size() != 32) return operatorError("Invalid hex-encoded SHA-256 " + text);
    validator->hashes_.insert(*digest);
    validator->fingerprint_ += "|hash " + text;
  }
  for (const std::string& text : spec.spkis) {
    const auto digest = fromBase64(text);
    if (!digest || digest->size() != 32) return operatorError("Invalid base64-encoded SHA-256 " + text);
    validator->spkis_.insert(*digest);
    validator->fingerprint_ += "|spki " + text;
  }
  validator->fingerprint_ += fmt::format("|{}{}{}", spec.allow_expired, spec.accept_untrusted, spec.only_leaf_crl);
  return std::shared_ptr<const Validator>(std::move(validator));
}

base::Result<void> Validator::loadRoots(const ValidationSpec& spec) {
  Source source = spec.trusted_ca;
  if (spec.system_roots) source.file = kSystemRoots;
  if (!source.given()) return base::Ok{};
  auto pem = read(source);
  if (!pem.ok()) return std::move(pem).error();
  auto roots = readCertificates(*pem);
  const std::string where = source.file.empty() ? "<inline>" : source.file;
  if (!roots.ok())
    return operatorError("Failed to load trusted CA certificates from " + where + ": " + roots.error().detail);
  for (const X509Ptr& root : *roots) {
    X509_STORE_add_cert(store_.get(), root.get());
    fingerprint_ += "|ca " + sha256(derOf(root.get()));
  }
  ERR_clear_error();  // The same one twice is no fault.
  // As Envoy: an intermediate that is named is trusted by itself.
  X509_STORE_set_flags(store_.get(), X509_V_FLAG_PARTIAL_CHAIN);
  roots_ = std::move(*roots);
  chain_ = true;
  return base::Ok{};
}

base::Result<void> Validator::loadCrl(const ValidationSpec& spec) {
  if (!spec.crl.given()) return base::Ok{};
  if (!chain_) return operatorError("Failed to load CRL without trusted CA");
  auto pem = read(spec.crl);
  if (!pem.ok()) return std::move(pem).error();
  const BioPtr bio = bioOf(*pem);
  size_t count = 0;
  while (X509_CRL* crl = PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr)) {
    X509_STORE_add_crl(store_.get(), crl);
    X509_CRL_free(crl);
    ++count;
  }
  ERR_clear_error();
  if (count == 0) {
    return operatorError("Failed to load CRL from " + (spec.crl.file.empty() ? "<inline>" : spec.crl.file));
  }
  fingerprint_ += "|crl " + sha256(*pem);
  X509_STORE_set_flags(store_.get(),
                       spec.only_leaf_crl ? X509_V_FLAG_CRL_CHECK : X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return base::Ok{};
}

base::Result<Validator::SanRule> Validator::compile(const SanMatcher& matcher) {
  const StringRule& rule = matcher.rule;
  SanRule out;
  out.type = matcher.type;
  out.text = rule.ignore_case ? lowered(rule.text) : rule.text;
  out.exact_dns = rule.form == StringRule::Form::Exact;
  if (rule.form == StringRule::Form::Regex) {
    auto regex = std::make_shared<RE2>(rule.text, RE2::Quiet);
    if (!regex->ok()) return operatorError("invalid regular expression '" + rule.text + "': " + regex->error());
    out.matches = [regex](std::string_view name) {
      return RE2::FullMatch(re2::StringPiece(name.data(), name.size()), *regex);
    };
    return out;
  }
  out.matches = [form = rule.form, text = out.text, fold = rule.ignore_case](std::string_view raw) {
    const std::string name = fold ? lowered(raw) : std::string(raw);
    switch (form) {
      case StringRule::Form::Exact: return name == text;
      case StringRule::Form::Prefix: return name.starts_with(text);
      case StringRule::Form::Suffix: return name.ends_with(text);
      case StringRule::Form::Contains: return name.find(text) != std::string::npos;
      case StringRule::Form::Regex: break;
    }
    return false;
  };
  return out;
}

void Validator::configure(SSL_CTX* context, bool server) const {
  SSL_CTX_set1_cert_store(context, store_.get());
  // Envoy counts the trust anchor, and OpenSSL does not.
  if (max_depth_) SSL_CTX_set_verify_depth(context, static_cast<int>(std::max(1U, *max_depth_) - 1));
  if (!server || !names_authorities_) return;
  for (const X509Ptr& root : roots_) SSL_CTX_add_client_CA(context, root.get());
}

// auto_san_validation stands in place of configured names, as in Envoy.
bool Validator::namesFit(X509* leaf, std::string_view expected) const {
  if (expected.empty()) return sanMatches(leaf);
  const std::vector<SanName> names = sanNames(leaf);
  return std::any_of(names.begin(), names.end(),
                     [&](const SanName& name) { return name.type == GEN_DNS && dnsNameMatches(expected, name.text); });
}

bool Validator::sanMatches(X509* leaf) const {
  for (const SanName& name : sanNames(leaf)) {
    for (const SanRule& rule : sans_) {
      if (!typeMeant(rule.type, name.type)) continue;
      const bool wildcard = rule.exact_dns && name.type == GEN_DNS;
      if (wildcard ? dnsNameMatches(rule.text, name.text) : rule.matches(name.text)) return true;
    }
  }
  return false;
}

bool Validator::pinned(X509* leaf) const {
  return hashes_.contains(sha256(derOf(leaf))) || spkis_.contains(spkiDigest(leaf));
}

int Validator::judge(X509_STORE_CTX* store, Judgement& judgement, Stats& stats) const {
  X509* leaf = X509_STORE_CTX_get0_cert(store);
  const auto refuse = [&](stats::Counter& counter, std::string words, int error) {
    counter.add();
    judgement.validated = false;
    judgement.failure = std::move(words);
    if (accept_untrusted_) return 1;
    X509_STORE_CTX_set_error(store, error);
    return 0;
  };
  if (chain_ && X509_verify_cert(store) != 1) {
    const int error = X509_STORE_CTX_get_error(store);
    const bool by_list = error == X509_V_ERR_CERT_REVOKED || error == X509_V_ERR_UNABLE_TO_GET_CRL;
    return refuse(stats.fail_verify_error,
                  fmt::format("verify cert failed: X509_verify_cert: certificate verification error at depth {}: {}{}",
                              X509_STORE_CTX_get_error_depth(store), by_list ? kByList : "",
                              X509_verify_cert_error_string(error)),
                  error);
  }
  judgement.validated = chain_;
  const bool by_name = !judgement.expected_name.empty() || !sans_.empty();
  if (by_name && !namesFit(leaf, judgement.expected_name)) {
    return refuse(stats.fail_verify_san,
                  fmt::format("verify cert failed: SAN matcher, certificate SANs are [{}]", joinedNames(leaf)),
                  X509_V_ERR_HOSTNAME_MISMATCH);
  }
  judgement.validated |= by_name;
  if (!hashes_.empty() || !spkis_.empty()) {
    if (!pinned(leaf)) {
      return refuse(stats.fail_verify_cert_hash, "verify cert failed: cert hash and spki", X509_V_ERR_CERT_REJECTED);
    }
    judgement.validated = true;
  }
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

}  // namespace weir::tls
