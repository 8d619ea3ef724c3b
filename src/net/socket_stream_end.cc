// Part of SocketStream: how it ends.
#include <sys/socket.h>

#include <cerrno>

#include "net/socket_stream.h"

namespace weir::net {

void SocketStream::close(Close how) {
  if (how != Close::Flush) {
    if (how == Close::Reset && socket_.open()) {
      const linger at_once{1, 0};
      setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    release();
    state_ = State::Over;
    return;
  }
  if (state_ == State::Flushing || state_ == State::Lingering) return;
  received_.clear();
  muted_ = false;
  if (state_ != State::Open || send_error_ != 0 || (!watched_ && !watch())) {
    release();
    state_ = State::Over;
    return timer_.arm(base::Duration::zero());
  }
  state_ = State::Flushing;
  if (out_.empty()) return beginLingering();
  updateInterest();
  timer_.arm(kFlushLimit);
}

void SocketStream::beginLingering() {
  state_ = State::Lingering;
  if (!fin_sent_) ::shutdown(socket_.get(), SHUT_WR);
  fin_sent_ = true;
  updateInterest();
  timer_.arm(ended_ ? base::Duration::zero() : kLingerLimit);
}

void SocketStream::discardInput() {
  size_t taken = 0;
  while (taken < kMostReadPerTurn) {
    const std::span<char> room = received_.reserve(base::BufferChain::kSlabBytes);
    const ssize_t got = ::recv(socket_.get(), room.data(), room.size(), 0);
    const int error = errno;
    received_.commit(0);
    if (got < 0 && error == EINTR) continue;
    if (got < 0 && (error == EAGAIN || error == EWOULDBLOCK)) return updateInterest();
    if (got < 0 || (got == 0 && state_ == State::Lingering)) return finish();
    if (got == 0) {
      ended_ = true;
      return updateInterest();
    }
    taken += static_cast<size_t>(got);
  }
  updateInterest();
}

void SocketStream::finish() {
  release();
  state_ = State::Over;
  receiver_->onFlushed();
}

void SocketStream::release() {
  timer_.disarm();
  if (watched_) loop_.unwatch(socket_.get());
  watched_ = false;
  socket_.reset();
  received_.clear();
  out_.clear();
}

void SocketStream::fail(base::Error why) {
  local();  // Whoever logs the failure may ask for it.
  release();
  state_ = State::Over;
  receiver_->onClosed(why);
}

}  // namespace weir::net
