#include "upstream/secure_connector.h"

#include "tls/stream.h"
#include "upstream/announcement.h"

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

// The protocols that the connection may speak, for ALPN where the configuration names none.
std::vector<std::string> protocolsOf(const ClusterSpec& spec, const Connector::Purpose& purpose) {
  if (purpose.raw) return {};
  if (purpose.only_http2) return {"h2"};
  if (spec.protocol == HttpProtocol::ByAlpn) return {"h2", "http/1.1"};
  return {"http/1.1"};
}

}  // namespace

SecureConnector::SecureConnector(event::Loop& loop, Connector& below, const ClusterSpec& spec, ClusterStats& stats)
    : loop_(loop),
      below_(below),
      spec_(spec),
      stats_(stats),
      tlvs_left_out_(spec.announcement
                         ? &stats.store.counter(stats.prefix + "upstream.proxyprotocol.v2_tlvs_exceed_max_length")
                         : nullptr),
      sessions_(spec.tls ? spec.tls->max_session_keys : 0) {}

std::unique_ptr<net::ByteStream> SecureConnector::begin(const Endpoint& endpoint, const Purpose& purpose,
                                                        base::Duration timeout) {
  auto stream = below_.connect(endpoint.address, timeout);
  if (!spec_.announcement) return stream;
  Announcement announcement{.version = spec_.announcement->version};
  if (purpose.client != nullptr) {
    announcement.client = *purpose.client;
    announcement.client->tlvs = announcedTlvs(*spec_.announcement, endpoint, purpose.client->tlvs);
  }
  announcement.left_out = tlvs_left_out_;
  announcement.sent = purpose.check ? nullptr : &stats_.upstream_cx_tx_bytes_total;
  return std::make_unique<AnnouncingStream>(std::move(stream), std::move(announcement));
}

std::unique_ptr<net::ByteStream> SecureConnector::connectTo(const Endpoint& endpoint, const Purpose& purpose,
                                                            base::Duration timeout) {
  if (!spec_.tls) return begin(endpoint, purpose, timeout);
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
  wish.server_name = !purpose.server_name.empty()                             ? std::string(purpose.server_name)
                     : spec_.tls->auto_host_sni && !endpoint.hostname.empty() ? endpoint.hostname
                                                                              : spec_.tls->sni;
  if (spec_.tls->auto_sni_san_validation || spec_.auto_san_validation) wish.expected_name = wish.server_name;
  wish.alpn_fallback = protocolsOf(spec_, purpose);
  auto below = begin(endpoint, purpose, base::Duration::zero());
  return tls::Stream::client(loop_, std::move(below), std::move(context), std::move(wish), timeout, &sessions_);
}

}  // namespace weir::upstream
