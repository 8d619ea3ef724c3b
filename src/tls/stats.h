// What handshakes came to, by Envoy's names: listener.<address>.ssl.* and cluster.<name>.ssl.*.
#pragma once

#include <string>
#include <string_view>

#include "stats/stats.h"

namespace weir::tls {

// One for all workers; the store outlives it.
class Stats {
 public:
  // prefix: with the last dot ("listener.127.0.0.1_443.ssl.").
  Stats(stats::Store& store, std::string prefix);

  stats::Counter& connection_error;
  stats::Counter& handshake;
  stats::Counter& session_reused;
  stats::Counter& no_certificate;
  stats::Counter& fail_verify_no_cert;
  stats::Counter& fail_verify_error;
  stats::Counter& fail_verify_san;
  stats::Counter& fail_verify_cert_hash;
  stats::Counter& ocsp_staple_failed;
  stats::Counter& ocsp_staple_omitted;
  stats::Counter& ocsp_staple_responses;
  stats::Counter& ocsp_staple_requests;
  stats::Counter& was_key_usage_invalid;

  // versions.TLSv1.3, ciphers.TLS_AES_128_GCM_SHA256 and so on. A look-up by name, once a handshake.
  void count(std::string_view kind, std::string_view name);

 private:
  stats::Store& store_;
  std::string prefix_;
};

}  // namespace weir::tls
