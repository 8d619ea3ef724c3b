#include "tls/stream.h"

#include <fmt/core.h>

#include "base/check.h"
#include "tls/session.h"

namespace weir::tls {

std::unique_ptr<Stream> Stream::server(event::Loop& loop, std::unique_ptr<net::ByteStream> below,
                                       std::shared_ptr<const ServerContext> context) {
  return std::unique_ptr<Stream>(
      new Stream(loop, std::move(below), Session::server(std::move(context)), base::Side::Client));
}

std::unique_ptr<Stream> Stream::client(event::Loop& loop, std::unique_ptr<net::ByteStream> below,
                                       std::shared_ptr<const ClientContext> context, ClientWish wish,
                                       base::Duration timeout, SessionStore* sessions) {
  auto session = Session::client(std::move(context), std::move(wish.server_name), std::move(wish.expected_name),
                                 wish.alpn_fallback, sessions);
  std::unique_ptr<Stream> stream(new Stream(loop, std::move(below), std::move(session), base::Side::Upstream));
  stream->timeout_ = timeout;
  return stream;
}

Stream::Stream(event::Loop& loop, std::unique_ptr<net::ByteStream> below, std::unique_ptr<Session> session,
               base::Side side)
    : loop_(loop),
      below_(std::move(below)),
      session_(std::move(session)),
      side_(side),
      wake_(loop, [this] { onWake(); }),
      timeout_timer_(loop, [this] { onTimeout(); }) {}

Stream::~Stream() {
  if (state_ != State::Dead && !flushing_) close(Close::Now);
}

// --- The beginning ---

void Stream::handshake(std::function<void(const base::Error*)> on_done) {
  CHECK(state_ == State::New && side_ == base::Side::Client);
  on_handshake_ = std::move(on_done);
  state_ = State::Handshaking;
  below_->start(asReceiver());
}

void Stream::start(net::ByteStream::Receiver& receiver) {
  receiver_ = &receiver;
  if (side_ == base::Side::Client) {
    CHECK(state_ == State::Open || state_ == State::Dead);
    return resumeReading();
  }
  CHECK(state_ == State::New);
  state_ = State::Handshaking;
  if (timeout_ > base::Duration::zero()) timeout_timer_.arm(timeout_);
  below_->start(asReceiver());
}

void Stream::onConnected() {
  handshake_began_ = loop_.now();
  advanceHandshake();  // The client speaks first.
}

void Stream::onTimeout() {
  if (state_ != State::Handshaking) return;
  fail({base::Code::Timeout, side_, base::Retry::Yes, "connection timeout"});
}

void Stream::advanceHandshake() {
  const Session::Outcome outcome = session_->handshake();
  flush();
  switch (outcome) {
    case Session::Outcome::NeedMore: return;
    case Session::Outcome::Done: return onHandshakeDone();
    case Session::Outcome::End:
    case Session::Outcome::Failed:
      return fail({base::Code::Malformed, side_, base::Retry::No, session_->takeFailure()});
  }
}

void Stream::onHandshakeDone() {
  state_ = State::Open;
  timeout_timer_.disarm();
  info_ = session_->conclude(handshake_began_);
  event::Lifeline::Sight sight(lifeline_);
  if (on_handshake_) {
    // Whoever waited decides who receives; what has come already is decrypted then.
    paused_ = receiver_ == nullptr;
    holdBelow();
    const auto on_done = std::exchange(on_handshake_, nullptr);
    on_done(nullptr);
  } else {
    receiver_->onConnected();
  }
  if (!sight.alive() || state_ != State::Open) return;
  if (!plain_out_.empty()) encrypt(plain_out_);
  if (finish_) finishWriting();
  if (receiver_ != nullptr && !paused_) wake_.arm(base::Duration::zero());
}

// --- Reading ---

// Takes what came: the stream below would tell its end before what is left there.
void Stream::onBytes(base::BufferChain& received) {
  session_->in().append(received);
  if (state_ == State::Handshaking) return advanceHandshake();
  if (state_ == State::Open) deliver();
}

void Stream::onWake() {
  if (state_ != State::Open || receiver_ == nullptr) return;
  if (!plain_in_.empty() && !paused_ && !offer()) return;
  deliver();
}

void Stream::deliver() {
  while (state_ == State::Open && !paused_ && !end_told_) {
    switch (session_->read(plain_in_)) {
      case Session::Outcome::Done:
        if (!offer()) return;
        break;
      case Session::Outcome::NeedMore:
        flush();  // The answer to a key update.
        if (below_ended_) onCut();
        return;
      case Session::Outcome::End: {
        end_told_ = true;
        below_->pauseReading();  // RFC 8446 6.1: what follows close_notify is ignored.
        return receiver_->onEnd();
      }
      case Session::Outcome::Failed:
        flush();
        return fail({base::Code::Malformed, side_, base::Retry::No, session_->takeFailure()});
    }
  }
}

// False if reading must stop: paused, closed or destroyed.
bool Stream::offer() {
  event::Lifeline::Sight sight(lifeline_);
  receiver_->onBytes(plain_in_);
  if (!sight.alive() || state_ != State::Open) return false;
  if (plain_in_.size() > high_watermark_) paused_ = true;
  holdBelow();
  return !paused_;
}

// The stream below rests while nobody takes what it has brought.
void Stream::holdBelow() {
  const bool hold = paused_;
  if (hold == below_paused_) return;
  below_paused_ = hold;
  hold ? below_->pauseReading() : below_->resumeReading();
}

// At once: paused between two reads, it must not go on collecting what is still encrypted.
void Stream::pauseReading() {
  paused_ = true;
  if (state_ == State::Open && !end_told_) holdBelow();
}

void Stream::resumeReading() {
  paused_ = false;
  if (state_ != State::Open) return;
  if (!end_told_) holdBelow();
  wake_.arm(base::Duration::zero());
}

void Stream::onEnd() {
  below_ended_ = true;
  if (state_ == State::Handshaking) return onCut();
  if (state_ == State::Open) deliver();
}

// RFC 8446 6.1: without close_notify it may be somebody in between who ended it.
void Stream::onCut() {
  if (cut_) return fail(*std::exchange(cut_, std::nullopt));
  if (state_ == State::Handshaking) {
    return fail({base::Code::Reset, side_, base::Retry::No, "the peer closed the connection within the TLS handshake"});
  }
  fail({base::Code::Reset, side_, base::Retry::No, "the peer closed the connection without close_notify"});
}

void Stream::onClosed(const base::Error& why) {
  if (state_ == State::Dead) return;
  if (state_ == State::Open && receiver_ == nullptr) {
    cut_ = why;
    below_ended_ = true;
    return;
  }
  fail(why);
}

// --- Writing ---

void Stream::write(base::BufferChain& bytes) {
  if (state_ == State::Dead || finish_) return bytes.clear();
  if (state_ == State::Open) return encrypt(bytes);
  plain_out_.append(bytes);
}

void Stream::encrypt(base::BufferChain& bytes) {
  // A failure shows again in the next read, from the loop.
  if (session_->write(bytes) == Session::Outcome::Failed) wake_.arm(base::Duration::zero());
  flush();
}

void Stream::flush() {
  if (!session_->out().empty()) below_->write(session_->out());
}

void Stream::onBlocked() {
  if (receiver_ != nullptr) receiver_->onBlocked();
}

void Stream::onDrained() {
  if (receiver_ != nullptr) receiver_->onDrained();
}

void Stream::setHighWatermark(size_t bytes) {
  high_watermark_ = bytes;
  below_->setHighWatermark(bytes);
}

// --- The end ---

void Stream::finishWriting() {
  finish_ = true;
  if (state_ != State::Open || finish_sent_) return;
  finish_sent_ = true;
  session_->sendCloseNotify();
  flush();
  below_->finishWriting();
}

void Stream::close(Close how) {
  if (state_ == State::Dead || flushing_) return;
  if (state_ == State::Open && how != Close::Reset && !finish_sent_) {
    if (!plain_out_.empty()) encrypt(plain_out_);
    // What cannot go at once is dropped by Close::Now, and close_notify with it.
    session_->sendCloseNotify();
    if (how == Close::Flush || below_->unsent() == 0) flush();
  }
  wake_.disarm();
  timeout_timer_.disarm();
  plain_in_.clear();
  on_handshake_ = nullptr;
  flushing_ = how == Close::Flush;
  if (!flushing_) state_ = State::Dead;
  below_->close(how);
}

void Stream::onFlushed() {
  state_ = State::Dead;
  flushing_ = false;
  if (receiver_ != nullptr) receiver_->onFlushed();
}

// An alert that explains it may be on its way: it goes first, without anybody waiting for it.
void Stream::fail(base::Error why) {
  state_ = State::Dead;
  wake_.disarm();
  timeout_timer_.disarm();
  below_->close(Close::Now);
  if (on_handshake_) {
    const auto on_done = std::exchange(on_handshake_, nullptr);
    return on_done(&why);
  }
  if (receiver_ != nullptr) receiver_->onClosed(why);
}

}  // namespace weir::tls
