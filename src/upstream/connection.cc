#include "upstream/connection.h"

#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "net/connection_id.h"
#include "upstream/connection_counts.h"

namespace weir::upstream {
namespace {

http1::ClientSettings http1Settings(const ClusterSpec& spec) {
  http1::ClientSettings settings;
  settings.proper_case = spec.proper_case;
  settings.max_headers_kb = spec.max_response_headers_kb;
  settings.max_headers_count = spec.max_response_headers_count;
  settings.enable_trailers = spec.enable_trailers;
  return settings;
}

}  // namespace

http2::Settings http2Settings(const ClusterSpec& spec) {
  http2::Settings settings = spec.http2;
  settings.max_headers_kb = spec.max_response_headers_kb;
  settings.max_headers_count = spec.max_response_headers_count;
  return settings;
}

Connection::Connection(Pool& pool, event::Loop& loop, base::Random& random, const ClusterSpec& spec,
                       ClusterStats& stats, Breakers& breakers, std::shared_ptr<const Endpoint> endpoint,
                       std::unique_ptr<net::ByteStream> stream, Speaks speaks)
    : pool_(pool),
      loop_(loop),
      random_(random),
      spec_(spec),
      stats_(stats),
      breakers_(breakers),
      endpoint_(std::move(endpoint)),
      stream_(std::move(stream)),
      speaks_(speaks),
      started_(loop.now()),
      flush_(loop, [this] { flush(); }),
      work_(loop, [this] { work(); }),
      idle_timer_(loop, [this] {
        stats_.upstream_cx_idle_timeout.add();
        close(false);
      }) {
  countOpened(stats_, breakers_, *endpoint_);
  if (speaks_ == Speaks::Http1) stats_.upstream_cx_http1_total.add();
  if (speaks_ == Speaks::Http2) stats_.upstream_cx_http2_total.add();
}

// Only at the end of all clusters is it destroyed while it is open.
Connection::~Connection() {
  if (state_ == State::Closed || state_ == State::Flushing) return;
  const bool busy = state_ == State::Busy;
  countEnd(false, busy);
  state_ = State::Closed;
  for (; streams_ > 0; --streams_) countRequestOver();
  if (codec_ != nullptr) codec_->connectionLost("clusters_destroyed");
}

// --- Connecting ---

void Connection::start() {
  stream_->setHighWatermark(spec_.buffer_limit);
  stream_->start(*this);
}

void Connection::onConnected() {
  stats_.upstream_cx_connect_ms.record(base::milliseconds(loop_.now() - started_));
  if (const net::TlsInfo* tls = stream_->tls()) tls_ = tls->shared_from_this();
  useCodec();
  facts_ = {net::nextConnectionId(), codec_->protocol(), started_, loop_.now(), {}};
  if (tls_ != nullptr) {
    facts_.connect_ended = tls_->handshake_began;
    facts_.handshake_ended = loop_.now();
  }
  state_ = State::Idle;
  if (spec_.idle_timeout) idle_timer_.arm(*spec_.idle_timeout);
  pool_.onConnected(*this);
}

void Connection::useCodec() {
  const net::TlsInfo* const tls = stream_->tls();
  http2_ = speaks_ == Speaks::Http2 || (speaks_ == Speaks::ByAlpn && tls != nullptr && tls->alpn == "h2");
  if (speaks_ == Speaks::ByAlpn) (http2_ ? stats_.upstream_cx_http2_total : stats_.upstream_cx_http1_total).add();
  if (http2_) return useHttp2();
  codec_ = http1::createClientCodec(*this, http1Settings(spec_), this);
}

void Connection::useHttp2() {
  auto codec = http2::createClientCodec(*this, *this, http2Settings(spec_), stats_.http2(), loop_.clock());
  http2::ClientCodec& pinger = *codec;
  codec_ = std::move(codec);
  const http2::Keepalive& keepalive = spec_.http2.keepalive;
  if (keepalive.timeout <= base::Duration::zero()) return;
  keepalive_.emplace(
      loop_, random_, keepalive, [&pinger] { pinger.ping(); }, [this] { onSilence(); });
}

// The peer has not answered a ping.
void Connection::onSilence() {
  stats_.http2().keepalive_timeout.add();
  const bool busy = state_ == State::Busy;
  if (busy) codec_->connectionLost("http2_ping_timeout");
  close(false, busy);
}

void Connection::onConnectError(const base::Error& why) {
  const bool timeout = why.code == base::Code::Timeout;
  LOG(Pool, Debug, "[{}] cannot connect to {}: {}", spec_.name, endpoint_->address.toString(), why.detail);
  stats_.upstream_cx_connect_fail.add();
  ++endpoint_->counts.cx_connect_fail;
  if (timeout) stats_.upstream_cx_connect_timeout.add();
  countEnd(!timeout, false);
  state_ = State::Closed;
  stream_->close(net::ByteStream::Close::Now);
  pool_.onConnectFailed(*this, timeout ? AcquireFailure::ConnectTimeout : AcquireFailure::ConnectFailed, why.detail);
}

// --- Requests ---

bool Connection::takesMore() const {
  const bool open = state_ == State::Idle || (state_ == State::Busy && http2_);
  // One that was still connecting when it was told to close serves the request it was opened for.
  const bool spent = last_request_ && requests_ > 0;
  return open && !spent && codec_->available();
}

void Connection::grant(ConnectionWaiter& waiter) {
  CHECK(takesMore());
  state_ = State::Busy;
  idle_timer_.disarm();
  stats_.upstream_rq_total.add();
  stats_.upstream_rq_active.add();
  breakers_.requests.take();
  ++endpoint_->counts.rq_total;
  ++endpoint_->counts.rq_active;
  ++streams_;
  const bool reused = requests_++ > 0;
  if (keepalive_) keepalive_->onNewStream();
  if (spec_.max_requests_per_connection && requests_ >= *spec_.max_requests_per_connection) {
    stats_.upstream_cx_max_requests.add();
    last_request_ = true;
  }
  waiter.onConnection({*codec_, *endpoint_, stream_->local(), tls_, reused, &facts_, &endpoint_});
  // A waiter that begins nothing leaves it as it was.
  if (state_ == State::Busy && codec_->activeStreams() < streams_) onStreamOver();
}

// As Envoy: of HTTP/2 alone, and not of streams that the peer has refused.
void Connection::onStreamReset(http::ResetReason reason) {
  switch (reason) {
    case http::ResetReason::RemoteReset: return stats_.upstream_rq_rx_reset.add();
    case http::ResetReason::RefusedStream: return;
    case http::ResetReason::ConnectionTermination:
    case http::ResetReason::ConnectionFailure: return stats_.upstream_rq_pending_failure_eject.add();
    default: return stats_.upstream_rq_tx_reset.add();
  }
}

void Connection::onStreamOver() {
  if (state_ != State::Busy) return;
  --streams_;
  countRequestOver();
  if (!codec_->reusable() || last_request_) {
    if (streams_ == 0) close(peer_went_, !receiving_);
    return;
  }
  if (streams_ == 0) {
    state_ = State::Idle;
    if (spec_.idle_timeout) idle_timer_.arm(*spec_.idle_timeout);
  }
  pool_.onIdle(*this);
}

// RFC 9113 6.8: what runs goes on, or is told RefusedStream; what comes takes another connection.
void Connection::onGoAway(uint32_t) {
  stats_.upstream_cx_close_notify.add();
  if (state_ == State::Idle) peer_went_ = true, work_.schedule();
}

void Connection::onBytes(base::BufferChain& received) {
  if (state_ == State::Flushing) return received.clear();
  stats_.upstream_cx_rx_bytes_total.add(received.size());
  if (keepalive_) keepalive_->onReceived();
  feed(received);
}

void Connection::feed(base::BufferChain& received) {
  receiving_ = true;
  const base::Result<void> result = codec_->receive(received);
  receiving_ = false;
  if (!result.ok()) {
    LOG(Pool, Debug, "[{}] bad response from {}: {}", spec_.name, endpoint_->address.toString(), result.error().detail);
    stats_.upstream_cx_protocol_error.add();
    close(false);
  }
  pool_.onReceived();
}

void Connection::work() {
  if (state_ == State::Closed) return;
  base::BufferChain nothing;
  feed(nothing);
  if (state_ == State::Idle && !codec_->reusable()) close(peer_went_);
}

void Connection::onEnd() {
  if (state_ == State::Flushing) return;
  peer_went_ = true;
  if (state_ == State::Busy) codec_->receiveEnd();
  // A tunnel's other direction may go on.
  if (state_ == State::Busy && codec_->activeStreams() > 0) return;
  close(true);
}

void Connection::onClosed(const base::Error& why) {
  if (state_ == State::Flushing) return;
  if (state_ == State::Connecting) return onConnectError(why);
  peer_went_ = true;
  if (state_ == State::Busy) codec_->connectionLost(why.detail);
  close(true);
}

void Connection::send(base::BufferChain& bytes) {
  stats_.upstream_cx_tx_bytes_total.add(bytes.size());
  out_.append(bytes);
  flush_.schedule();
}

void Connection::sendEnd() {
  tunnelled_ = true;
  end_asked_ = true;
  flush_.schedule();
}

void Connection::flush() {
  if (state_ == State::Closed || state_ == State::Flushing) return;
  if (!out_.empty()) stream_->write(out_);
  if (std::exchange(end_asked_, false)) stream_->finishWriting();
}

void Connection::countRequestOver() {
  stats_.upstream_rq_active.sub();
  breakers_.requests.giveBack();
  --endpoint_->counts.rq_active;
}

// --- The end ---

void Connection::close(bool by_peer, bool within_request) {
  if (state_ == State::Closed || state_ == State::Flushing) return;
  if (tunnelled_) flush();
  countEnd(by_peer, within_request);
  idle_timer_.disarm();
  if (keepalive_) keepalive_->end();
  if (tunnelled_ && stream_->unsent() > 0) {
    state_ = State::Flushing;
    return stream_->close(net::ByteStream::Close::Flush);
  }
  state_ = State::Closed;
  stream_->close(net::ByteStream::Close::Now);
  pool_.onClosed(*this);
}

void Connection::countEnd(bool by_peer, bool within_request) {
  countClosed(stats_, breakers_, *endpoint_, loop_.now() - started_, by_peer, within_request);
}

}  // namespace weir::upstream
