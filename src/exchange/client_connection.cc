#include "exchange/client_connection.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "exchange/exchange.h"
#include "http1/codec.h"

namespace weir::exchange {
namespace {

http1::ServerSettings http1Settings(const HttpManagerSpec& spec) {
  http1::ServerSettings settings;
  settings.proper_case = spec.proper_case;
  settings.max_headers_kb = spec.max_request_headers_kb;
  settings.max_headers_count = spec.max_headers_count;
  settings.accept_http_10 = spec.accept_http_10;
  settings.default_host_for_http_10 = spec.default_host_for_http_10;
  settings.enable_trailers = spec.enable_trailers;
  settings.allow_absolute_url = spec.allow_absolute_url;
  return settings;
}

}  // namespace

ClientConnection::ClientConnection(HttpManager& manager, Owner& owner, std::unique_ptr<net::ByteStream> stream,
                                   filter::ConnectionInfo info)
    : manager_(manager),
      owner_(owner),
      stream_(std::move(stream)),
      info_(std::move(info)),
      flush_(manager.loop, [this] { flush(); }),
      next_(manager.loop, [this] { dispatch(); }),
      idle_timer_(manager.loop, [this] { onIdle(); }),
      duration_timer_(manager.loop, [this] { onDurationReached(); }),
      started_(manager.loop.now()) {
  manager_.stats.downstream_cx_total.add();
  manager_.stats.downstream_cx_active.add();
}

ClientConnection::~ClientConnection() = default;

void ClientConnection::start() {
  if (info_.tls != nullptr) manager_.stats.downstream_cx_ssl_total.add();
  if (info_.tls != nullptr) manager_.stats.downstream_cx_ssl_active.add();
  stream_->setHighWatermark(manager_.buffer_limit);
  armIdleTimer();
  if (manager_.spec->max_connection_duration) duration_timer_.arm(*manager_.spec->max_connection_duration);
  stream_->start(*this);
}

// --- The codec ---

bool ClientConnection::chooseCodec() {
  using Codec = HttpManagerSpec::Codec;
  const Codec codec = manager_.spec->codec;
  const net::TlsInfo* const tls = stream_->tls();
  const std::string_view alpn = tls == nullptr ? std::string_view() : std::string_view(tls->alpn);
  if (codec == Codec::Http1 || (codec == Codec::Auto && !alpn.empty() && alpn != "h2")) return useHttp1(), true;
  if (codec == Codec::Http2 || alpn == "h2") return useHttp2(), true;

  const std::string_view expected = http2::kPreface.substr(0, received_.size());
  if (received_.linearize(expected.size()) != expected) return useHttp1(), true;
  if (expected.size() < http2::kPreface.size()) return false;
  return useHttp2(), true;
}

void ClientConnection::useHttp1() {
  codec_ = http1::createServerCodec(*this, *this, http1Settings(*manager_.spec));
  manager_.stats.downstream_cx_http1_total.add();
  manager_.stats.downstream_cx_http1_active.add();
  if (leaving_ || manager_.asksToGo()) codec_->drain();
}

void ClientConnection::useHttp2() {
  http2_ = true;
  http2::Settings settings = manager_.spec->http2;
  settings.max_headers_kb = manager_.spec->max_request_headers_kb;
  settings.max_headers_count = manager_.spec->max_headers_count;
  auto codec = http2::createServerCodec(*this, *this, *this, settings, manager_.stats.http2, manager_.loop.clock());
  http2::ServerCodec& pinger = *codec;
  codec_ = std::move(codec);
  if (settings.keepalive.timeout > base::Duration::zero()) {
    keepalive_.emplace(
        manager_.loop, manager_.random, settings.keepalive, [&pinger] { pinger.ping(); }, [this] { onSilence(); });
  }
  manager_.stats.downstream_cx_http2_total.add();
  manager_.stats.downstream_cx_http2_active.add();
  if (leaving_ || manager_.asksToGo()) codec_->drain();
}

// --- Bytes ---

void ClientConnection::onBytes(base::BufferChain& received) {
  manager_.stats.downstream_cx_rx_bytes_total.add(received.size());
  if (keepalive_) keepalive_->onReceived();
  bytes_received_ += received.size();
  received_.append(received);
  dispatch();
}

void ClientConnection::dispatch() {
  if (dispatching_) {  // Called from within the codec: go round again when it has returned.
    dispatch_again_ = true;
    return;
  }
  dispatching_ = true;
  do {
    dispatch_again_ = false;
    if (closed_ || failed_ || (received_.empty() && !http2_)) break;
    if (codec_ == nullptr && !chooseCodec()) break;
    const base::Result<void> result = codec_->receive(received_);
    if (!result.ok()) {
      LOG(Http, Debug, "[C{}] {}", info_.id, result.error().detail);
      if (http2_) countHttp2Fault(result.error());
      noteFault(result.error());
      failed_ = true;
      received_.clear();
    }
    spoke_ = spoke_ || !failed_;
  } while (dispatch_again_);
  dispatching_ = false;
  closeIfFinished();
}

void ClientConnection::countHttp2Fault(const base::Error& why) {
  const bool resets = why.detail == "http2.too_many_premature_resets";
  (resets ? manager_.stats.downstream_rq_too_many_premature_resets : manager_.stats.downstream_cx_protocol_error).add();
}

// As Envoy words it: without blanks.
void ClientConnection::noteFault(const base::Error& why) {
  info_.local_close_reason = "codec_error:" + why.detail;
  std::replace(info_.local_close_reason.begin(), info_.local_close_reason.end(), ' ', '_');
}

void ClientConnection::onEnd() {
  if (codec_ != nullptr && codec_->tunnels()) {  // The other direction may go on.
    codec_->receiveEnd();
    return closeIfFinished();
  }
  // As Envoy and nginx: a client that has finished sending has gone, and what was asked of upstreams for it ends.
  close(net::ByteStream::Close::Flush, true);
}

void ClientConnection::onClosed(const base::Error& why) {
  LOG(Connection, Debug, "[C{}] closed: {}", info_.id, why.detail);
  if (why.code == base::Code::Reset) info_.close_type = filter::CloseType::RemoteReset;
  close(net::ByteStream::Close::Now, true);
}

void ClientConnection::onBlocked() {
  if (codec_ != nullptr) codec_->wireBlocked();
}
void ClientConnection::onDrained() {
  if (codec_ != nullptr) codec_->wireDrained();
}

void ClientConnection::send(base::BufferChain& bytes) {
  manager_.stats.downstream_cx_tx_bytes_total.add(bytes.size());
  bytes_sent_ += bytes.size();
  out_.append(bytes);
  flush_.schedule();
}

void ClientConnection::sendEnd() {
  end_asked_ = true;
  flush_.schedule();
}

void ClientConnection::flush() {
  if (closed_) return;
  if (!out_.empty()) stream_->write(out_);
  if (std::exchange(end_asked_, false)) stream_->finishWriting();
}

http::StreamReceiver& ClientConnection::onNewStream(http::Stream& stream) {
  idle_timer_.disarm();
  info_.local_close_reason.clear();
  ++requests_;
  if (manager_.asksToGo()) codec_->drain();
  const auto& limit = manager_.spec->max_requests_per_connection;
  if (limit && requests_ >= *limit) {
    manager_.stats.downstream_cx_max_requests_reached.add();
    codec_->drain();
  }
  exchanges_.push_back(std::make_unique<Exchange>(*this, stream));
  return exchanges_.back()->receiver();
}

void ClientConnection::onPauseConnection() {
  if (!closed_) stream_->pauseReading();
}

void ClientConnection::onResumeConnection() {
  if (!closed_) stream_->resumeReading();
}

void ClientConnection::onExchangeOver(Exchange& exchange) {
  for (auto at = exchanges_.begin(); at != exchanges_.end(); ++at) {
    if (at->get() != &exchange) continue;
    manager_.loop.destroyLater(std::move(*at));
    exchanges_.erase(at);
    break;
  }
  if (closed_) return;
  if (exchanges_.empty()) leaving_ ? idle_timer_.arm(kGoAwayGrace) : armIdleTimer();
  if (dispatching_) {
    dispatch_again_ = true;
    return;
  }
  if (!received_.empty() && !failed_) return next_.schedule();
  closeIfFinished();
}

void ClientConnection::closeIfFinished() {
  if (closed_ || dispatching_ || codec_ == nullptr) return;
  // HTTP/2 fails as a connection; HTTP/1 when the answer to the bad request has been sent.
  if (codec_->activeStreams() > 0 && !(failed_ && http2_)) return;
  if (!failed_ && !codec_->finished()) return;
  if (!failed_) info_.local_close_reason = "deferred_close_on_drained_connection";
  close(net::ByteStream::Close::Flush, false);
}

// As Envoy, which takes a silent client for one that went.
void ClientConnection::countBusyEnd(bool by_peer) {
  manager_.stats.downstream_cx_destroy_active_rq.add();
  (by_peer || silent_ ? manager_.stats.downstream_cx_destroy_remote_active_rq
                      : manager_.stats.downstream_cx_destroy_local_active_rq)
      .add();
}

void ClientConnection::close(net::ByteStream::Close how, bool by_peer) {
  if (closed_) return;
  if (!out_.empty()) stream_->write(out_);
  closed_ = true;
  idle_timer_.disarm();
  duration_timer_.disarm();
  if (keepalive_) keepalive_->end();
  if (info_.tls != nullptr) manager_.stats.downstream_cx_ssl_active.sub();
  manager_.stats.downstream_cx_destroy.add();
  (by_peer ? manager_.stats.downstream_cx_destroy_remote : manager_.stats.downstream_cx_destroy_local).add();
  if (!exchanges_.empty()) countBusyEnd(by_peer);
  manager_.stats.downstream_cx_active.sub();
  if (codec_ != nullptr) {
    (http2_ ? manager_.stats.downstream_cx_http2_active : manager_.stats.downstream_cx_http1_active).sub();
  }
  manager_.stats.downstream_cx_length_ms.record(base::milliseconds(manager_.loop.now() - started_));
  if (codec_ != nullptr)
    codec_->connectionLost(by_peer   ? "downstream_remote_disconnect"
                           : silent_ ? kPingTimeout
                                     : "downstream_local_disconnect");
  stream_->close(how);
  if (how != net::ByteStream::Close::Flush) owner_.onConnectionClosed(*this);
}

void ClientConnection::onFlushed() { owner_.onConnectionClosed(*this); }

filter::StreamInfo ClientConnection::summary() const {
  filter::StreamInfo summary;
  summary.connection = &info_;
  summary.dynamic_metadata = info_.dynamic_metadata;
  summary.typed_dynamic_metadata = info_.typed_dynamic_metadata;
  summary.client = info_.peer;
  summary.is_http = spoke_;
  if (spoke_) summary.protocol = codec_->protocol();
  summary.finished = manager_.loop.now() - started_;
  summary.start = manager_.loop.wallNow() - *summary.finished;
  summary.start_monotonic = started_;
  summary.request_body_bytes = bytes_received_;
  summary.response_body_bytes = bytes_sent_;
  if (failed_) summary.setFlag(filter::ResponseFlag::DownstreamProtocolError);
  return summary;
}

void ClientConnection::drain() {
  if (closed_) return;
  if (codec_ != nullptr) codec_->drain();
  if (!exchanges_.empty()) return;
  if (!std::exchange(leaving_, true)) return idle_timer_.arm(http2_ ? kGoAwayGrace : kFirstRequestGrace);
  close(net::ByteStream::Close::Flush, false);
}

void ClientConnection::askToGo() {
  if (!closed_ && codec_ != nullptr) codec_->drain();
}

void ClientConnection::closeNow() { close(net::ByteStream::Close::Now, false); }

void ClientConnection::armIdleTimer() {
  if (manager_.spec->idle_timeout) idle_timer_.arm(*manager_.spec->idle_timeout);
}

void ClientConnection::onIdle() {
  if (leaving_) return close(net::ByteStream::Close::Flush, false);
  manager_.stats.downstream_cx_idle_timeout.add();
  leaving_ = !http2_;
  info_.local_close_reason = "on_idle_timeout";
  drain();
}

// The client has not answered a ping.
void ClientConnection::onSilence() {
  silent_ = true;
  manager_.stats.http2.keepalive_timeout.add();
  close(net::ByteStream::Close::Now, false);
}

void ClientConnection::onDurationReached() {
  manager_.stats.downstream_cx_max_duration_reached.add();
  drain();
}

}  // namespace weir::exchange
