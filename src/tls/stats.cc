#include "tls/stats.h"

#include <fmt/core.h>

namespace weir::tls {

Stats::Stats(stats::Store& store, std::string prefix)
    : connection_error(store.counter(prefix + "connection_error")),
      handshake(store.counter(prefix + "handshake")),
      session_reused(store.counter(prefix + "session_reused")),
      no_certificate(store.counter(prefix + "no_certificate")),
      fail_verify_no_cert(store.counter(prefix + "fail_verify_no_cert")),
      fail_verify_error(store.counter(prefix + "fail_verify_error")),
      fail_verify_san(store.counter(prefix + "fail_verify_san")),
      fail_verify_cert_hash(store.counter(prefix + "fail_verify_cert_hash")),
      ocsp_staple_failed(store.counter(prefix + "ocsp_staple_failed")),
      ocsp_staple_omitted(store.counter(prefix + "ocsp_staple_omitted")),
      ocsp_staple_responses(store.counter(prefix + "ocsp_staple_responses")),
      ocsp_staple_requests(store.counter(prefix + "ocsp_staple_requests")),
      was_key_usage_invalid(store.counter(prefix + "was_key_usage_invalid")),
      store_(store),
      prefix_(std::move(prefix)) {}

void Stats::count(std::string_view kind, std::string_view name) {
  store_.counter(fmt::format("{}{}.{}", prefix_, kind, name)).add();
}

}  // namespace weir::tls
