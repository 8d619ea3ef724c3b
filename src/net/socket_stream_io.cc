// Part of SocketStream: bytes in and bytes out.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "net/socket_stream.h"

namespace weir::net {
namespace {

constexpr int kMaxPieces = 64;
constexpr size_t kMostSlabsAtOnce = 4;

bool wouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

// One piece, as nearly always, costs the kernel less to look at than a list of pieces.
ssize_t sendPieces(int socket, const base::BufferChain& bytes, size_t& offered) {
  const std::string_view first = bytes.front();
  offered = first.size();
  if (offered == bytes.size()) return ::send(socket, first.data(), first.size(), MSG_NOSIGNAL);

  iovec pieces[kMaxPieces];
  msghdr message{};
  message.msg_iov = pieces;
  message.msg_iovlen = static_cast<size_t>(bytes.gather(pieces, kMaxPieces));
  offered = 0;
  for (size_t i = 0; i < message.msg_iovlen; ++i) offered += pieces[i].iov_len;
  return ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

// Behind what is there. room: how many bytes could have come.
ssize_t receive(int socket, base::BufferChain& bytes, size_t& room) {
  const std::span<char> space = bytes.reserve(base::BufferChain::kSlabBytes / 2);
  room = space.size();
  const ssize_t got = ::recv(socket, space.data(), space.size(), 0);
  const int error = errno;
  bytes.commit(static_cast<size_t>(std::max<ssize_t>(got, 0)));
  errno = error;
  return got;
}

// The same, several slabs at once: where the last read has filled its room, most of a body is still to come. most: of
// bytes, in whole slabs, but one slab in any case.
ssize_t receiveMuch(int socket, base::BufferChain& bytes, size_t most, size_t& room) {
  base::BufferChain slabs[kMostSlabsAtOnce];
  iovec pieces[kMostSlabsAtOnce];
  const size_t count = std::clamp<size_t>(most / base::BufferChain::kSlabBytes, 1, kMostSlabsAtOnce);
  room = 0;
  for (size_t i = 0; i < count; ++i) {
    const std::span<char> space = slabs[i].reserve(base::BufferChain::kSlabBytes);
    pieces[i] = {space.data(), space.size()};
    room += space.size();
  }
  msghdr message{};
  message.msg_iov = pieces;
  message.msg_iovlen = count;
  const ssize_t got = ::recvmsg(socket, &message, 0);
  const int error = errno;
  size_t rest = static_cast<size_t>(std::max<ssize_t>(got, 0));
  for (size_t i = 0; i < count; ++i) {
    const size_t taken = std::min(rest, pieces[i].iov_len);
    slabs[i].commit(taken);
    bytes.append(slabs[i]);
    rest -= taken;
  }
  errno = error;
  return got;
}

}  // namespace

// --- Reading ---

// end_is_near: the peer's FIN or an error lies behind the bytes, so that a short read is no reason to stop.
void SocketStream::readSome(bool end_is_near) {
  size_t taken = 0;
  while (taken < kMostReadPerTurn) {
    size_t room = 0;
    const size_t most =
        std::min(kMostReadPerTurn - taken, high_watermark_ - std::min(high_watermark_, received_.size()));
    const ssize_t got =
        bulk_ ? receiveMuch(socket_.get(), received_, most, room) : receive(socket_.get(), received_, room);
    const int error = got < 0 ? errno : 0;
    const bool filled = got > 0 && static_cast<size_t>(got) == room;
    bulk_ = filled || got > static_cast<ssize_t>(base::BufferChain::kSlabBytes);
    if (got == 0) return onEndOfInput();
    if (got < 0) {
      if (error == EINTR) continue;
      if (!wouldBlock(error)) return fail(brokenBy(error));
      if (send_error_ != 0) return fail(brokenBy(send_error_));
      return;
    }
    taken += static_cast<size_t>(got);
    if (!offer()) return;
    if (!filled && !end_is_near) return;
  }
  if (send_error_ != 0) timer_.arm(base::Duration::zero());
}

// False if reading must stop: paused, closed or destroyed.
bool SocketStream::offer() {
  event::Lifeline::Sight sight(lifeline_);
  do {
    handed_ = false;
    receiver_->onBytes(received_);
    if (!sight.alive() || state_ != State::Open) return false;
  } while (handed_ && !paused_);
  if (received_.size() > high_watermark_) paused_ = true;
  return !paused_;
}

void SocketStream::onEndOfInput() {
  // The kernel forgets an error once it has told it to a send, and calls what follows an end.
  if (send_error_ != 0) return fail(brokenBy(send_error_));
  ended_ = true;
  if (watched_) updateInterest();
  if (handed_ && !offer()) return;
  receiver_->onEnd();
}

// Both directions are over while nobody reads. Told again in every turn unless it is dealt with here.
void SocketStream::onHangUp() {
  const int error = send_error_ != 0 ? send_error_ : takeSocketError();
  if (error != 0) return fail(brokenBy(error));
  loop_.unwatch(socket_.get());
  watched_ = false;
  muted_ = true;
}

void SocketStream::pauseReading() { paused_ = true; }

void SocketStream::resumeReading() {
  if (state_ != State::Open) {
    paused_ = false;
    return;
  }
  const bool was_paused = std::exchange(paused_, false);
  if (!received_.empty() && !timer_.armed()) timer_.arm(base::Duration::zero());
  if (!was_paused || !muted_) return;
  muted_ = false;
  if (ended_) return;
  if (watched_) return updateInterest();
  if (!watch()) timer_.arm(base::Duration::zero());
}

// --- Writing ---

void SocketStream::write(base::BufferChain& bytes) {
  const bool open = state_ == State::New || state_ == State::Connecting || state_ == State::Open;
  if (!open || finish_ || send_error_ != 0) return bytes.clear();
  const bool waits = !out_.empty() || state_ != State::Open;
  out_.append(bytes);
  if (!waits) {
    sendSome();
    if (watched_) updateInterest();
  }
  if (blocked_ || out_.size() <= high_watermark_ || receiver_ == nullptr) return;
  blocked_ = true;
  receiver_->onBlocked();
}

// True if the kernel took anything. Stops at the first short send: the kernel is full then.
bool SocketStream::sendSome() {
  bool sent_any = false;
  while (!out_.empty()) {
    size_t offered = 0;
    const ssize_t sent = sendPieces(socket_.get(), out_, offered);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (!wouldBlock(errno)) onSendError(errno);
      return sent_any;
    }
    sent_any |= sent > 0;
    out_.drain(static_cast<size_t>(sent));
    if (static_cast<size_t>(sent) < offered) return sent_any;
  }
  if (finish_ && !fin_sent_) {
    fin_sent_ = true;
    ::shutdown(socket_.get(), SHUT_WR);
  }
  return sent_any;
}

// Told from the loop and not to whoever writes; and the peer's last words are read first.
void SocketStream::onSendError(int error) {
  send_error_ = error;
  out_.clear();
  if (state_ == State::Open) timer_.arm(base::Duration::zero());
}

void SocketStream::onSent() {
  if (!blocked_ || out_.size() > high_watermark_ / 2) return;
  blocked_ = false;
  receiver_->onDrained();
}

void SocketStream::finishWriting() {
  if (finish_) return;
  finish_ = true;
  if (state_ == State::Open && out_.empty()) sendSome();
}

}  // namespace weir::net
