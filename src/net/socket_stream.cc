#include "net/socket_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

#include "base/check.h"

namespace weir::net {
namespace {

constexpr int kMaxPieces = 64;

std::string systemWords(int error) { return std::generic_category().message(error); }

base::Code codeOf(int error) {
  if (error == ECONNREFUSED) return base::Code::Refused;
  if (error == ETIMEDOUT) return base::Code::Timeout;
  if (error == ECONNRESET || error == EPIPE) return base::Code::Reset;
  return base::Code::Io;
}

bool wouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

std::unique_ptr<SocketStream> SocketStream::accepted(event::Loop& loop, Fd socket, const Address& peer) {
  CHECK(socket.open());
  return std::unique_ptr<SocketStream>(
      new SocketStream(loop, std::move(socket), peer, base::Side::Client, base::Duration::zero()));
}

std::unique_ptr<SocketStream> SocketStream::connect(event::Loop& loop, const Address& to, base::Duration timeout) {
  return std::unique_ptr<SocketStream>(new SocketStream(loop, Fd(), to, base::Side::Upstream, timeout));
}

SocketStream::SocketStream(event::Loop& loop, Fd socket, const Address& peer, base::Side side,
                           base::Duration connect_timeout)
    : loop_(loop),
      socket_(std::move(socket)),
      peer_(peer),
      side_(side),
      connect_timeout_(connect_timeout),
      connects_(!socket_.open()),
      timer_(loop, [this] { onTimer(); }) {}

SocketStream::~SocketStream() { release(); }

// --- The beginning ---

void SocketStream::start(Receiver& receiver) {
  CHECK(state_ == State::New);
  receiver_ = &receiver;
  if (connects_) return beginConnecting();
  state_ = State::Open;
  if (!out_.empty()) sendSome();
  if (!watch()) timer_.arm(base::Duration::zero());
}

// Failures are told from the loop, not from within start().
void SocketStream::beginConnecting() {
  state_ = State::Connecting;
  socket_.reset(::socket(peer_.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  int error = socket_.open() ? 0 : errno;
  if (error == 0 && peer_.isIp()) {
    const int on = 1;
    setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  if (error == 0 && ::connect(socket_.get(), peer_.sockaddrPtr(), peer_.length()) != 0 && errno != EINPROGRESS) {
    error = errno;
  }
  if (error != 0) {
    start_error_ = connectError("immediate connect error: ", error);
    return timer_.arm(base::Duration::zero());
  }
  if (!watch()) return timer_.arm(base::Duration::zero());
  if (connect_timeout_ > base::Duration::zero()) timer_.arm(connect_timeout_);
}

void SocketStream::onConnectResult() {
  const int error = takeSocketError();
  if (error != 0) return fail(connectError("delayed connect error: ", error));
  timer_.disarm();
  state_ = State::Open;
  event::Lifeline::Sight sight(lifeline_);
  receiver_->onConnected();
  if (!sight.alive() || state_ != State::Open) return;
  if (!out_.empty()) {
    sendSome();
    onSent();
    if (!sight.alive()) return;
  }
  if (watched_) updateInterest();
}

base::Error SocketStream::connectError(std::string_view when, int error) const {
  return {codeOf(error), side_, base::Retry::Yes, std::string(when) + systemWords(error)};
}

// --- Events ---

void SocketStream::onIo(uint32_t events) {
  switch (state_) {
    case State::New:
    case State::Over: return;
    case State::Connecting: return onConnectResult();
    case State::Open: return serveOpen(events);
    case State::Flushing:
      if (events & (event::kWritable | event::kClosed) && sendSome()) timer_.arm(kFlushLimit);
      if (send_error_ != 0) return finish();
      if (out_.empty()) beginLingering();
      [[fallthrough]];
    case State::Lingering:
      if (events & ~uint32_t{event::kWritable})
        discardInput();
      else
        updateInterest();
  }
}

void SocketStream::onTimer() {
  switch (state_) {
    case State::New: return;
    case State::Connecting:
      if (start_error_) return fail(*std::move(start_error_));
      return fail({base::Code::Timeout, side_, base::Retry::Yes, "connection timeout"});
    case State::Open:
      if (start_error_) return fail(*std::move(start_error_));
      if (send_error_ == 0) {
        if (!paused_ && !received_.empty()) offer();
        return;
      }
      if (paused_ || ended_) return fail(brokenBy(send_error_));
      return readSome(true);
    case State::Flushing:
    case State::Lingering:
    case State::Over: return finish();
  }
}

void SocketStream::serveOpen(uint32_t events) {
  event::Lifeline::Sight sight(lifeline_);
  if (!out_.empty() && events & (event::kWritable | event::kClosed)) {
    sendSome();
    onSent();
    if (!sight.alive() || state_ != State::Open) return;
  }
  if (events & event::kClosed && (paused_ || ended_)) return onHangUp();
  if (events & (event::kReadable | event::kPeerEnded | event::kClosed)) {
    if (paused_) {
      muted_ = true;  // Bytes wait in the kernel; level-triggered, it would tell so in every turn.
    } else {
      readSome(events & (event::kPeerEnded | event::kClosed));
      if (!sight.alive() || state_ != State::Open) return;
    }
  }
  if (watched_) updateInterest();
}

// --- Reading ---

// end_is_near: the peer's FIN or an error lies behind the bytes, so that a short read is no reason to stop.
void SocketStream::readSome(bool end_is_near) {
  size_t taken = 0;
  while (taken < kMostReadPerTurn) {
    const std::span<char> room = received_.reserve(base::BufferChain::kSlabBytes / 2);
    const ssize_t got = ::recv(socket_.get(), room.data(), room.size(), 0);
    const int error = got < 0 ? errno : 0;
    received_.commit(static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return onEndOfInput();
    if (got < 0) {
      if (error == EINTR) continue;
      if (!wouldBlock(error)) return fail(brokenBy(error));
      if (send_error_ != 0) return fail(brokenBy(send_error_));
      return;
    }
    taken += static_cast<size_t>(got);
    if (!offer()) return;
    if (static_cast<size_t>(got) < room.size() && !end_is_near) return;
  }
  if (send_error_ != 0) timer_.arm(base::Duration::zero());
}

// False if reading must stop: paused, closed or destroyed.
bool SocketStream::offer() {
  event::Lifeline::Sight sight(lifeline_);
  receiver_->onBytes(received_);
  if (!sight.alive() || state_ != State::Open) return false;
  if (received_.size() > high_watermark_) paused_ = true;
  return !paused_;
}

void SocketStream::onEndOfInput() {
  // The kernel forgets an error once it has told it to a send, and calls what follows an end.
  if (send_error_ != 0) return fail(brokenBy(send_error_));
  ended_ = true;
  if (watched_) updateInterest();
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
    iovec pieces[kMaxPieces];
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = static_cast<size_t>(out_.gather(pieces, kMaxPieces));
    size_t offered = 0;
    for (size_t i = 0; i < message.msg_iovlen; ++i) offered += pieces[i].iov_len;

    const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
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

// --- The end ---

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
    if (got < 0 && wouldBlock(error)) return updateInterest();
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

// --- The registration ---

void SocketStream::updateInterest() {
  uint32_t wanted = 0;
  if (state_ == State::Connecting || !out_.empty()) wanted |= event::kWritable;
  if (state_ != State::Connecting && !ended_ && !muted_) wanted |= event::kReadable | event::kPeerEnded;
  if (wanted == interest_) return;
  interest_ = wanted;
  loop_.setInterest(socket_.get(), wanted, *this);
}

bool SocketStream::watch() {
  interest_ = state_ == State::Connecting ? event::kWritable : event::kReadable | event::kPeerEnded;
  base::Result<void> watched = loop_.watch(socket_.get(), interest_, *this);
  if (!watched.ok()) {
    start_error_ = std::move(watched).error();
    return false;
  }
  watched_ = true;
  if (state_ != State::Connecting) updateInterest();
  return true;
}

int SocketStream::takeSocketError() {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  return error;
}

base::Error SocketStream::brokenBy(int error) const {
  return {codeOf(error), side_, base::Retry::No, systemWords(error)};
}

const Address& SocketStream::local() const {
  if (local_ || !socket_.open()) {
    static const Address nowhere;
    return local_ ? *local_ : nowhere;
  }
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) length = 0;
  local_ = Address::fromSockaddr(reinterpret_cast<const sockaddr*>(&storage), length);
  return *local_;
}

}  // namespace weir::net
