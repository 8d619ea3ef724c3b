#include "upstream/connection.h"

#include "base/check.h"
#include "base/log.h"
#include "net/connection_id.h"

namespace weir::upstream {
namespace {

http1::ClientSettings codecSettings(const ClusterSpec& spec) {
  http1::ClientSettings settings;
  settings.proper_case = spec.proper_case;
  settings.max_headers_kb = spec.max_response_headers_kb;
  settings.max_headers_count = spec.max_response_headers_count;
  settings.enable_trailers = spec.enable_trailers;
  return settings;
}

uint64_t milliseconds(base::Duration duration) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

}  // namespace

Connection::Connection(Pool& pool, event::Loop& loop, const ClusterSpec& spec, ClusterStats& stats,
                       std::shared_ptr<const Endpoint> endpoint, std::unique_ptr<net::ByteStream> stream)
    : pool_(pool),
      loop_(loop),
      spec_(spec),
      stats_(stats),
      endpoint_(std::move(endpoint)),
      stream_(std::move(stream)),
      codec_(http1::createClientCodec(*this, codecSettings(spec), this)),
      started_(loop.now()),
      flush_(loop, [this] { flush(); }),
      idle_timer_(loop, [this] {
        stats_.upstream_cx_idle_timeout.add();
        close(false);
      }) {
  stats_.upstream_cx_total.add();
  ++endpoint_->counts.cx_total;
  ++endpoint_->counts.cx_active;
  stats_.upstream_cx_http1_total.add();
  stats_.upstream_cx_active.add();
}

// Only at the end of all clusters is it destroyed while it is open.
Connection::~Connection() {
  if (state_ == State::Closed) return;
  const bool busy = state_ == State::Busy;
  countEnd(false, busy);
  state_ = State::Closed;
  if (busy) stats_.upstream_rq_active.sub();
  if (busy) --endpoint_->counts.rq_active;
  codec_->connectionLost("clusters_destroyed");
}

// --- Connecting ---

void Connection::start() {
  stream_->setHighWatermark(spec_.buffer_limit);
  stream_->start(*this);
}

void Connection::onConnected() {
  stats_.upstream_cx_connect_ms.record(milliseconds(loop_.now() - started_));
  if (const net::TlsInfo* tls = stream_->tls()) tls_ = tls->shared_from_this();
  facts_ = {net::nextConnectionId(), codec_->protocol(), started_, loop_.now()};
  state_ = State::Idle;
  if (spec_.idle_timeout) idle_timer_.arm(*spec_.idle_timeout);
  pool_.onConnected(*this);
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

void Connection::grant(ConnectionWaiter& waiter) {
  CHECK(state_ == State::Idle);
  state_ = State::Busy;
  idle_timer_.disarm();
  stats_.upstream_rq_total.add();
  stats_.upstream_rq_active.add();
  ++endpoint_->counts.rq_total;
  ++endpoint_->counts.rq_active;
  const bool reused = requests_++ > 0;
  if (spec_.max_requests_per_connection && requests_ >= *spec_.max_requests_per_connection) {
    stats_.upstream_cx_max_requests.add();
    last_request_ = true;
  }
  waiter.onConnection({*codec_, *endpoint_, stream_->local(), tls_, reused, &facts_});
  // A waiter that begins nothing leaves it idle.
  if (state_ == State::Busy && codec_->activeStreams() == 0) onStreamOver();
}

void Connection::onStreamOver() {
  if (state_ != State::Busy) return;
  stats_.upstream_rq_active.sub();
  --endpoint_->counts.rq_active;
  if (!codec_->reusable() || last_request_) {
    return close(peer_went_, !receiving_);
  }
  state_ = State::Idle;
  if (spec_.idle_timeout) idle_timer_.arm(*spec_.idle_timeout);
  pool_.onIdle(*this);
}

void Connection::onBytes(base::BufferChain& received) {
  stats_.upstream_cx_rx_bytes_total.add(received.size());
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

void Connection::onEnd() {
  peer_went_ = true;
  if (state_ == State::Busy) codec_->receiveEnd();
  close(true);
}

void Connection::onClosed(const base::Error& why) {
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

void Connection::flush() {
  if (state_ != State::Closed && !out_.empty()) stream_->write(out_);
}

// --- The end ---

void Connection::close(bool by_peer, bool within_request) {
  if (state_ == State::Closed) return;
  countEnd(by_peer, within_request);
  state_ = State::Closed;
  idle_timer_.disarm();
  stream_->close(net::ByteStream::Close::Now);
  pool_.onClosed(*this);
}

void Connection::countEnd(bool by_peer, bool within_request) {
  stats_.upstream_cx_active.sub();
  --endpoint_->counts.cx_active;
  stats_.upstream_cx_destroy.add();
  (by_peer ? stats_.upstream_cx_destroy_remote : stats_.upstream_cx_destroy_local).add();
  stats_.upstream_cx_length_ms.record(milliseconds(loop_.now() - started_));
  if (!within_request) return;
  stats_.upstream_cx_destroy_with_active_rq.add();
  (by_peer ? stats_.upstream_cx_destroy_remote_with_active_rq : stats_.upstream_cx_destroy_local_with_active_rq).add();
}

}  // namespace weir::upstream
