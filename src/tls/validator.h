// Judges a peer's certificate: chain, names, pins. As Envoy's default validator; immutable, shared by all workers.
#pragma once

#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "tls/openssl.h"
#include "tls/spec.h"
#include "tls/stats.h"

namespace weir::tls {

// What the judgement of one handshake came to.
struct Judgement {
  bool validated = false;     // By at least one of chain, names and pins.
  std::string failure;        // In Envoy's words; empty: none.
  std::string expected_name;  // The certificate must be for this name (auto_san_validation), and not
                              // for the configured ones; empty: for those.
};

class Validator {
 public:
  // Reads files. Errors are the operator's.
  static base::Result<std::shared_ptr<const Validator>> create(const ValidationSpec& spec);

  // The store, depth and list of authorities that a server names to its clients. The verification callback is the
  // context's.
  void configure(SSL_CTX* context, bool server) const;
  // Whether a peer's certificate is asked for at all.
  bool wanted() const { return chain_ || !sans_.empty() || !hashes_.empty() || !spkis_.empty(); }
  // From OpenSSL's verification callback: 1 if the handshake may go on.
  int judge(X509_STORE_CTX* store, Judgement& judgement, Stats& stats) const;
  // What tells configurations apart, for session ids.
  const std::string& fingerprint() const { return fingerprint_; }

 private:
  struct SanRule {
    SanMatcher::Type type;
    std::function<bool(std::string_view)> matches;
    bool exact_dns = false;  // The certificate's name may be a wildcard for it.
    std::string text;
  };
  base::Result<void> loadRoots(const ValidationSpec& spec);
  base::Result<void> loadCrl(const ValidationSpec& spec);
  static base::Result<SanRule> compile(const SanMatcher& matcher);
  bool namesFit(X509* leaf, std::string_view expected) const;
  bool sanMatches(X509* leaf) const;
  bool pinned(X509* leaf) const;

  StorePtr store_;
  std::vector<X509Ptr> roots_;
  bool chain_ = false;  // There are roots: the chain is verified.
  bool accept_untrusted_ = false;
  bool names_authorities_ = true;
  std::optional<uint32_t> max_depth_;
  std::vector<SanRule> sans_;
  std::set<std::string> hashes_;  // Raw digests.
  std::set<std::string> spkis_;
  std::string fingerprint_;
};

// Whether a certificate's DNS name covers host: equal, or a wildcard for its first label (RFC 6125 6.4.3).
bool dnsNameMatches(std::string_view host, std::string_view pattern);

}  // namespace weir::tls
