#include "upstream/raw_stream.h"

namespace weir::upstream {
namespace {

uint64_t milliseconds(base::Duration duration) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

}  // namespace

RawStream::RawStream(event::Loop& loop, Cluster& cluster, Breakers& breakers, std::shared_ptr<const Endpoint> endpoint,
                     std::unique_ptr<net::ByteStream> stream)
    : loop_(loop),
      cluster_(cluster),
      stats_(cluster.stats()),
      breakers_(breakers),
      endpoint_(std::move(endpoint)),
      stream_(std::move(stream)),
      started_(loop.now()) {
  stats_.upstream_cx_total.add();
  stats_.upstream_cx_active.add();
  breakers_.connections.take();
  endpoint_->state->connections.fetch_add(1, std::memory_order_relaxed);
  stats_.upstream_rq_pending_total.add();
  stats_.upstream_rq_pending_active.add();
  ++endpoint_->counts.cx_total;
  ++endpoint_->counts.cx_active;
  stream_->setHighWatermark(cluster.spec().buffer_limit);
}

RawStream::~RawStream() { countEnd(false); }

void RawStream::start(Receiver& receiver) {
  receiver_ = &receiver;
  if (state_ != State::New) return;
  state_ = State::Connecting;
  stream_->start(*this);
}

void RawStream::onConnected() {
  state_ = State::Open;
  stats_.upstream_cx_connect_ms.record(milliseconds(loop_.now() - started_));
  stats_.upstream_rq_pending_active.sub();
  stats_.upstream_rq_total.add();
  stats_.upstream_rq_active.add();
  breakers_.requests.take();
  cluster_->report(*endpoint_, Outcome::Connected, 0);
  ++endpoint_->counts.rq_total;
  ++endpoint_->counts.rq_active;
  receiver_->onConnected();
}

void RawStream::write(base::BufferChain& bytes) {
  stats_.upstream_cx_tx_bytes_total.add(bytes.size());
  stream_->write(bytes);
}

void RawStream::onBytes(base::BufferChain& received) {
  stats_.upstream_cx_rx_bytes_total.add(received.size());
  receiver_->onBytes(received);
}

void RawStream::onEnd() {
  peer_ended_ = true;
  receiver_->onEnd();
}

void RawStream::onClosed(const base::Error& why) {
  if (state_ == State::Connecting) {
    stats_.upstream_cx_connect_fail.add();
    stats_.upstream_rq_pending_failure_eject.add();
    ++endpoint_->counts.cx_connect_fail;
    cluster_->report(*endpoint_, Outcome::ConnectFailed, 0);
    if (why.code == base::Code::Timeout) stats_.upstream_cx_connect_timeout.add();
  }
  countEnd(true);
  receiver_->onClosed(why);
}

void RawStream::close(Close how) {
  countEnd(peer_ended_);
  stream_->close(how);
}

void RawStream::countEnd(bool by_peer) {
  if (state_ == State::Over) return;
  const bool served = state_ == State::Open;
  state_ = State::Over;
  stats_.upstream_cx_active.sub();
  breakers_.connections.giveBack();
  endpoint_->state->connections.fetch_sub(1, std::memory_order_relaxed);
  --endpoint_->counts.cx_active;
  stats_.upstream_cx_destroy.add();
  (by_peer ? stats_.upstream_cx_destroy_remote : stats_.upstream_cx_destroy_local).add();
  stats_.upstream_cx_length_ms.record(milliseconds(loop_.now() - started_));
  if (!served) return stats_.upstream_rq_pending_active.sub();
  stats_.upstream_rq_active.sub();
  breakers_.requests.giveBack();
  --endpoint_->counts.rq_active;
  stats_.upstream_cx_destroy_with_active_rq.add();
  (by_peer ? stats_.upstream_cx_destroy_remote_with_active_rq : stats_.upstream_cx_destroy_local_with_active_rq).add();
}

}  // namespace weir::upstream
