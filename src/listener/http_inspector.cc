// Looks whether a plain connection begins with HTTP, and sets the application protocol that ALPN would have told.
#include <algorithm>

#include "http/characters.h"
#include "listener/filter_set.h"

namespace weir::listener {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";  // RFC 9113 3.4
constexpr size_t kMostBytes = 8 * 1024;                                    // Of a request line.

struct Stats {
  explicit Stats(stats::Store& store)
      : read_error(store.counter("http_inspector.read_error")),
        http10_found(store.counter("http_inspector.http10_found")),
        http11_found(store.counter("http_inspector.http11_found")),
        http2_found(store.counter("http_inspector.http2_found")),
        http_not_found(store.counter("http_inspector.http_not_found")) {}
  stats::Counter& read_error;
  stats::Counter& http10_found;
  stats::Counter& http11_found;
  stats::Counter& http2_found;
  stats::Counter& http_not_found;
};

bool isTokenChar(char c) { return http::tokenLower(c) != '\0'; }

class HttpInspector final : public Filter {
 public:
  explicit HttpInspector(const std::shared_ptr<const Stats>& stats) : stats_(stats) {}

  Verdict onBytes(base::BufferChain& received, Findings& findings) override {
    if (!findings.transport_protocol.empty() && findings.transport_protocol != "raw_buffer") return Verdict::Done;
    const std::string_view bytes = received.linearize(std::min(received.size(), kMostBytes));
    if (bytes.empty()) return Verdict::NeedMore;
    if (bytes.substr(0, kPreface.size()) == kPreface.substr(0, bytes.size())) {
      if (bytes.size() < kPreface.size()) return Verdict::NeedMore;
      return found("h2c", stats_->http2_found, findings);
    }
    // RFC 9112 3: method SP request-target SP HTTP-version CRLF
    const size_t method_end =
        static_cast<size_t>(std::find_if_not(bytes.begin(), bytes.end(), isTokenChar) - bytes.begin());
    if (method_end < bytes.size() && (method_end == 0 || bytes[method_end] != ' ')) return notFound();
    const size_t line_end = bytes.find('\n');
    if (line_end == bytes.npos) return bytes.size() < kMostBytes ? Verdict::NeedMore : notFound();
    std::string_view line = bytes.substr(0, line_end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.ends_with(" HTTP/1.1")) return found("http/1.1", stats_->http11_found, findings);
    // As Envoy: what is not 1.1 counts as 1.0, also a request line of HTTP/0.9.
    const std::string_view target = line.substr(std::min(line.size(), method_end + 1));
    const bool versioned = target.find(" HTTP/") != target.npos;
    return versioned || target.starts_with('/') ? found("http/1.0", stats_->http10_found, findings) : notFound();
  }

 private:
  static Verdict found(std::string_view protocol, stats::Counter& counter, Findings& findings) {
    counter.add();
    findings.application_protocols = {std::string(protocol)};
    return Verdict::Done;
  }
  Verdict notFound() const {
    stats_->http_not_found.add();
    return Verdict::Done;
  }

  const std::shared_ptr<const Stats> stats_;
};

}  // namespace

std::function<std::unique_ptr<Filter>()> httpInspector(const HttpInspectorSpec& /*spec*/, stats::Store& stats) {
  return [counts = std::make_shared<const Stats>(stats)] { return std::make_unique<HttpInspector>(counts); };
}

}  // namespace weir::listener
