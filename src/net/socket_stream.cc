// Part of SocketStream: how it begins, what the loop tells it, and what it asks of the loop. Bytes are in
// socket_stream_io.cc, the end in socket_stream_end.cc.
#include "net/socket_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

#include "base/check.h"

namespace weir::net {
namespace {

std::string systemWords(int error) { return std::generic_category().message(error); }

base::Code codeOf(int error) {
  if (error == ECONNREFUSED) return base::Code::Refused;
  if (error == ETIMEDOUT) return base::Code::Timeout;
  if (error == ECONNRESET || error == EPIPE) return base::Code::Reset;
  return base::Code::Io;
}

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
  if (state_ == State::Open) return handOver(receiver);
  CHECK(state_ == State::New);
  receiver_ = &receiver;
  if (connects_) return beginConnecting();
  state_ = State::Open;
  if (!out_.empty()) sendSome();
  if (!watch()) timer_.arm(base::Duration::zero());
}

// Within offer() the next receiver gets its turn at once, else in the next one.
void SocketStream::handOver(Receiver& receiver) {
  CHECK(!connects_);
  receiver_ = &receiver;
  if (received_.empty()) return;
  handed_ = true;
  if (!timer_.armed()) timer_.arm(base::Duration::zero());
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
