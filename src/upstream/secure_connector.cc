#include "upstream/secure_connector.h"

#include "tls/stream.h"

namespace weir::upstream {
namespace {

// Stands for a connection that cannot be made: there is no certificate to make it with yet.
class NotReady final : public net::ByteStream {
 public:
  NotReady(event::Loop& loop, const net::Address& peer) : peer_(peer), timer_(loop, [this] { tell(); }) {}
  void start(Receiver& receiver) override {
    receiver_ = &receiver;
    timer_.arm(base::Duration::zero());
  }
  void write(base::BufferChain& bytes) override { bytes.clear(); }
  void pauseReading() override {}
  void resumeReading() override {}
  void finishWriting() override {}
  void close(Close) override { timer_.disarm(); }
  size_t unsent() const override { return 0; }
  void setHighWatermark(size_t) override {}
  const net::Address& local() const override { return local_; }
  const net::Address& peer() const override { return peer_; }

 private:
  void tell() {
    receiver_->onClosed(
        {base::Code::Unavailable, base::Side::Operator, base::Retry::Yes, "TLS error: Secret is not supplied by SDS"});
  }
  net::Address local_;
  net::Address peer_;
  Receiver* receiver_ = nullptr;
  event::Timer timer_;
};

// The protocols that the cluster's connections speak, for ALPN where the configuration names none.
std::vector<std::string> protocolsOf(const ClusterSpec& spec, bool only_http2) {
  if (only_http2) return {"h2"};
  if (spec.protocol == HttpProtocol::ByAlpn) return {"h2", "http/1.1"};
  return {"http/1.1"};
}

}  // namespace

std::unique_ptr<net::ByteStream> SecureConnector::connectTo(const Endpoint& endpoint, std::string_view server_name,
                                                            base::Duration timeout, bool only_http2) {
  return connect(endpoint, server_name, timeout, protocolsOf(spec_, only_http2));
}

std::unique_ptr<net::ByteStream> SecureConnector::connectRaw(const Endpoint& endpoint, base::Duration timeout) {
  return connect(endpoint, {}, timeout, {});
}

std::unique_ptr<net::ByteStream> SecureConnector::connect(const Endpoint& endpoint, std::string_view server_name,
                                                          base::Duration timeout, std::vector<std::string> protocols) {
  if (!spec_.tls) return below_.connect(endpoint.address, timeout);
  auto context = spec_.live_tls == nullptr ? nullptr : spec_.live_tls->get();
  if (context == nullptr) {
    // Never plain where TLS is configured.
    if (spec_.live_tls != nullptr) spec_.live_tls->countNotReady();
    return std::make_unique<NotReady>(loop_, endpoint.address);
  }
  if (context != context_) {
    // Made with other certificates and rules: what was agreed on under them counts no more.
    sessions_.clear();
    context_ = context;
  }
  tls::ClientWish wish;
  wish.server_name = !server_name.empty()                                     ? std::string(server_name)
                     : spec_.tls->auto_host_sni && !endpoint.hostname.empty() ? endpoint.hostname
                                                                              : spec_.tls->sni;
  if (spec_.tls->auto_sni_san_validation || spec_.auto_san_validation) wish.expected_name = wish.server_name;
  wish.alpn_fallback = std::move(protocols);
  auto below = below_.connect(endpoint.address, base::Duration::zero());
  return tls::Stream::client(loop_, std::move(below), std::move(context), std::move(wish), timeout, &sessions_);
}

}  // namespace weir::upstream
