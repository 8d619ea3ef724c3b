#include "upstream/tcp_tunnel.h"

#include "base/check.h"

namespace weir::upstream {

// --- Connecting ---

void TcpTunnel::start(const Wish& wish, const filter::ConnectionInfo& client) {
  StreamOffer offer = cluster_.openStream(wish, client);
  endpoint_ = std::move(offer.endpoint);
  stream_ = std::move(offer.stream);
  if (stream_ == nullptr) return waiter_.onNoConnection(offer.failure, endpoint_.get(), "");
  stream_->start(*this);
}

void TcpTunnel::onConnected() {
  connected_ = true;
  std::shared_ptr<const net::TlsInfo> tls;
  if (stream_->tls() != nullptr) tls = stream_->tls()->shared_from_this();
  waiter_.onConnection({*this, *endpoint_, stream_->local(), tls});
}

void TcpTunnel::onClosed(const base::Error& why) {
  if (connected_) {
    http::StreamReceiver* const receiver = std::exchange(receiver_, nullptr);
    if (receiver != nullptr) receiver->onReset(http::ResetReason::ConnectionTermination, why.detail);
    return;
  }
  const bool timeout = why.code == base::Code::Timeout;
  waiter_.onNoConnection(timeout ? AcquireFailure::ConnectTimeout : AcquireFailure::ConnectFailed, endpoint_.get(),
                         why.detail);
}

// --- What is sent ---

http::Stream& TcpTunnel::newStream(http::StreamReceiver& receiver) {
  CHECK(available());
  begun_ = true;
  receiver_ = &receiver;
  return *this;
}

// Whoever sends does not expect the answer within the call.
void TcpTunnel::sendHeaders(const http::HeaderMap&, bool end_stream) {
  answer_.schedule();
  if (end_stream) endSending();
}

void TcpTunnel::sendBody(base::BufferChain& bytes, bool end_stream) {
  sent_ += bytes.size();
  if (!bytes.empty()) stream_->write(bytes);
  if (!end_stream) return;
  endSending();
  if (received_end_) complete();
}

void TcpTunnel::sendTrailers(const http::HeaderMap&) {
  base::BufferChain nothing;
  sendBody(nothing, true);
}

void TcpTunnel::endSending() {
  sent_end_ = true;
  stream_->finishWriting();
}

void TcpTunnel::onBlocked() {
  if (receiver_ != nullptr) receiver_->onSendBlocked();
}

void TcpTunnel::onDrained() {
  if (receiver_ != nullptr) receiver_->onSendDrained();
}

// --- What comes ---

void TcpTunnel::answer() {
  if (receiver_ == nullptr || std::exchange(answered_, true)) return;
  http::HeaderMap headers;
  headers.add(http::HeaderId::Status, "200");
  receiver_->onHeaders(headers, false);
}

void TcpTunnel::onBytes(base::BufferChain& received) {
  answer();
  base::BufferChain taken;
  taken.append(received);
  received_ += taken.size();
  if (receiver_ != nullptr) receiver_->onBody(taken, false);
}

void TcpTunnel::onEnd() {
  answer();
  received_end_ = true;
  base::BufferChain nothing;
  if (receiver_ != nullptr) receiver_->onBody(nothing, true);
  if (receiver_ != nullptr && sent_end_) complete();
}

void TcpTunnel::pauseReceiving() {
  if (pauses_++ == 0) stream_->pauseReading();
}

void TcpTunnel::resumeReceiving() {
  CHECK(pauses_ > 0);
  if (--pauses_ == 0) stream_->resumeReading();
}

// --- The end ---

void TcpTunnel::complete() {
  http::StreamReceiver* const receiver = std::exchange(receiver_, nullptr);
  close();
  receiver->onComplete();
}

void TcpTunnel::reset(http::ResetReason) { close(); }

void TcpTunnel::close() {
  receiver_ = nullptr;
  if (stream_ == nullptr || std::exchange(closed_, true)) return;
  const bool whole = sent_end_ && received_end_;
  if (whole && stream_->unsent() > 0) return cluster_.flush(std::move(stream_));
  stream_->close(net::ByteStream::Close::Now);
}

}  // namespace weir::upstream
