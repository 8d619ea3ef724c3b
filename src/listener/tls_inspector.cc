// Reads the client hello, for the criteria that TLS tells before it begins: server name and application protocols.
#include <algorithm>

#include "listener/filter_set.h"
#include "tls/client_hello.h"

namespace weir::listener {
namespace {

struct Stats {
  explicit Stats(stats::Store& store)
      : tls_found(store.counter("tls_inspector.tls_found")),
        tls_not_found(store.counter("tls_inspector.tls_not_found")),
        sni_found(store.counter("tls_inspector.sni_found")),
        sni_not_found(store.counter("tls_inspector.sni_not_found")),
        alpn_found(store.counter("tls_inspector.alpn_found")),
        alpn_not_found(store.counter("tls_inspector.alpn_not_found")),
        client_hello_too_large(store.counter("tls_inspector.client_hello_too_large")),
        bytes_processed(store.histogram("tls_inspector.bytes_processed")) {}
  stats::Counter& tls_found;
  stats::Counter& tls_not_found;
  stats::Counter& sni_found;
  stats::Counter& sni_not_found;
  stats::Counter& alpn_found;
  stats::Counter& alpn_not_found;
  stats::Counter& client_hello_too_large;
  stats::Histogram& bytes_processed;
};

class TlsInspector final : public Filter {
 public:
  TlsInspector(const TlsInspectorSpec& spec, const std::shared_ptr<const Stats>& stats) : spec_(spec), stats_(stats) {}

  Verdict onBytes(base::BufferChain& received, Findings& findings) override {
    if (findings.transport_protocol == "tls") return Verdict::Done;  // Another inspector was here.
    const size_t seen = std::min({received.size(), spec_.most_bytes, base::BufferChain::kSlabBytes});
    tls::ClientHello hello;
    switch (tls::readClientHello(received.linearize(seen), hello)) {
      case tls::HelloOutcome::NeedMore:
        return seen < received.size() || seen == spec_.most_bytes ? tooLarge(seen) : Verdict::NeedMore;
      case tls::HelloOutcome::NotTls: return notTls(seen);
      case tls::HelloOutcome::TooLarge: return tooLarge(seen);
      case tls::HelloOutcome::Found: break;
    }
    stats_->bytes_processed.record(seen);
    found(std::move(hello), findings);
    return Verdict::Done;
  }

 private:
  void found(tls::ClientHello hello, Findings& findings) const {
    stats_->tls_found.add();
    (hello.server_name.empty() ? stats_->sni_not_found : stats_->sni_found).add();
    (hello.alpn.empty() ? stats_->alpn_not_found : stats_->alpn_found).add();
    findings.transport_protocol = "tls";
    findings.server_name = std::move(hello.server_name);
    findings.application_protocols = std::move(hello.alpn);
  }
  Verdict notTls(size_t seen) const {
    stats_->tls_not_found.add();
    stats_->bytes_processed.record(seen);
    return spec_.close_on_errors ? Verdict::Close : Verdict::Done;
  }
  Verdict tooLarge(size_t seen) const {
    if (!spec_.close_on_errors) return notTls(seen);
    stats_->client_hello_too_large.add();
    return Verdict::Close;
  }

  const TlsInspectorSpec spec_;
  const std::shared_ptr<const Stats> stats_;
};

}  // namespace

std::function<std::unique_ptr<Filter>()> tlsInspector(const TlsInspectorSpec& spec, stats::Store& stats) {
  return [spec, counts = std::make_shared<const Stats>(stats)] { return std::make_unique<TlsInspector>(spec, counts); };
}

}  // namespace weir::listener
