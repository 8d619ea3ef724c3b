#include "upstream/raw_stream.h"

#include "upstream/connection_counts.h"

namespace weir::upstream {
RawStream::RawStream(event::Loop& loop, Cluster& cluster, Breakers& breakers, std::shared_ptr<const Endpoint> endpoint,
                     std::unique_ptr<net::ByteStream> stream)
    : loop_(loop),
      cluster_(cluster),
      stats_(cluster.stats()),
      breakers_(breakers),
      endpoint_(std::move(endpoint)),
      stream_(std::move(stream)),
      started_(loop.now()) {
  countOpened(stats_, breakers_, *endpoint_);
  stats_.upstream_rq_pending_total.add();
  stats_.upstream_rq_pending_active.add();
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
  stats_.upstream_cx_connect_ms.record(base::milliseconds(loop_.now() - started_));
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
  countClosed(stats_, breakers_, *endpoint_, loop_.now() - started_, by_peer, served);
  if (!served) return stats_.upstream_rq_pending_active.sub();
  stats_.upstream_rq_active.sub();
  breakers_.requests.giveBack();
  --endpoint_->counts.rq_active;
}

}  // namespace weir::upstream
