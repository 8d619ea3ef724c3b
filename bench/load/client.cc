#include "client.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <string_view>

namespace bench {
namespace {

constexpr size_t kBufferSize = 256 * 1024;
constexpr int64_t kSecond = 1'000'000'000;
constexpr size_t kOpeningAtOnce = 64;            // Below every proxy's backlog.
constexpr int64_t kAnswerWithin = 10 * kSecond;  // Beyond it the run has failed.

int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

}  // namespace

Client::Client(const Options& options)
    : options_(options),
      requests_(makeRequests(options)),
      tls_(options.tls ? std::make_unique<TlsClient>(options.resume) : nullptr),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      buffer_(std::make_unique<char[]>(kBufferSize)),
      warm_each_((options.paths + static_cast<size_t>(options.connections) - 1) /
                 static_cast<size_t>(options.connections)) {
  prctl(PR_SET_TIMERSLACK, 1);  // Requests go when they are due, not up to 50 us later.
  for (int i = 0; i < options.connections; ++i) connections_.push_back(std::make_unique<Connection>(options.expect));
}

Client::~Client() { close(epoll_fd_); }

bool Client::warmUp() {
  warm_left_ = warm_each_ * connections_.size();
  // Handshakes that resume need a session first, and get it from one connection.
  size_t opened = 0;
  last_answer_ = now();
  while (warm_left_ > 0 && fault_.empty()) {
    const size_t at_once = options_.resume && !tls_->resumes() ? 1 : kOpeningAtOnce;
    while (opened < connections_.size() && busy_ < at_once && fault_.empty()) {
      Connection& connection = *connections_[opened++];
      open(connection);
      begin(connection, now());
    }
    turn(now() + kSecond);
    if (now() > last_answer_ + kAnswerWithin) fail("no answer within 10 s");
  }
  return fault_.empty();
}

Outcome Client::measure() {
  measuring_ = true;
  begin_at_ = last_answer_ = now();
  end_at_ = begin_at_ + static_cast<int64_t>(options_.seconds * kSecond);
  outcome_.microseconds.reserve(1 << 20);
  if (options_.rate == 0) {
    for (const auto& connection : connections_) startNext(*connection, begin_at_);
  }
  for (int64_t time = begin_at_; fault_.empty(); time = now()) {
    if (options_.rate > 0) startDue(time);
    if (busy_ == 0 && !mayStart(time)) break;
    if (busy_ > 0 && time > last_answer_ + kAnswerWithin) fail("no answer within 10 s");
    turn(options_.rate > 0 && mayStart(time) ? nextDue() : time + kSecond);
  }
  outcome_.seconds = static_cast<double>(now() - begin_at_) / kSecond;
  outcome_.fault = fault_;
  return std::move(outcome_);
}

// One look at what has happened, waiting until then at most.
void Client::turn(int64_t until) {
  epoll_event events[256];
  const int64_t wait = std::max<int64_t>(0, until - now());
  const timespec timeout{wait / kSecond, wait % kSecond};
  const int count = epoll_pwait2(epoll_fd_, events, 256, &timeout, nullptr);
  for (int i = 0; i < count && fault_.empty(); ++i) {
    auto& connection = *static_cast<Connection*>(events[i].data.ptr);
    if ((events[i].events & EPOLLOUT) != 0) write(connection);
    if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read(connection);
  }
}

void Client::open(Connection& connection) {
  connection.stream = std::make_unique<Stream>(options_.port, tls_.get());
  connection.watches_write = false;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &connection;
  epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, connection.stream->fd(), &event);
}

void Client::begin(Connection& connection, int64_t started) {
  connection.request = &requests_[next_request_];
  next_request_ = next_request_ + 1 == requests_.size() ? 0 : next_request_ + 1;
  connection.written = 0;
  connection.started = started;
  ++busy_;
  write(connection);
}

void Client::write(Connection& connection) {
  while (connection.request != nullptr && connection.written < connection.request->size()) {
    const long sent = connection.stream->write(std::string_view(*connection.request).substr(connection.written));
    if (sent == Stream::kClosed) return fail("the connection was closed while a request was sent");
    if (sent == Stream::kAgain) break;
    connection.written += static_cast<size_t>(sent);
  }
  const bool unsent = connection.request != nullptr && connection.written < connection.request->size();
  const bool wants_write = unsent && connection.stream->wantsWrite();
  if (wants_write == connection.watches_write) return;
  connection.watches_write = wants_write;
  epoll_event event{};
  event.events = EPOLLIN | (wants_write ? EPOLLOUT : 0U);
  event.data.ptr = &connection;
  epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, connection.stream->fd(), &event);
}

void Client::read(Connection& connection) {
  for (;;) {
    const long got = connection.stream->read(buffer_.get(), kBufferSize);
    if (got == Stream::kClosed) return fail("the connection was closed");
    if (got == Stream::kAgain) break;
    if (connection.request == nullptr) return fail("bytes that nobody asked for");
    switch (connection.answer.feed({buffer_.get(), static_cast<size_t>(got)})) {
      case AnswerReader::State::Wrong: return fail(connection.answer.fault());
      case AnswerReader::State::Complete: return complete(connection);
      case AnswerReader::State::Incomplete: break;
    }
    if (!options_.tls && static_cast<size_t>(got) < kBufferSize) return;
  }
  // A handshake that waited for these bytes lets the request go.
  if (connection.request != nullptr && connection.written < connection.request->size()) write(connection);
}

void Client::complete(Connection& connection) {
  const int64_t time = now();
  last_answer_ = time;
  --busy_;
  connection.request = nullptr;
  connection.answer.reset();
  ++connection.answered;
  if (options_.tls && options_.reconnect && measuring_ && connection.stream->resumed() != options_.resume) {
    return fail(options_.resume ? "a handshake did not resume" : "a handshake resumed");
  }
  if (measuring_) {
    ++outcome_.requests;
    outcome_.microseconds.push_back(static_cast<uint32_t>((time - connection.started) / 1000));
  } else {
    --warm_left_;
    if (connection.answered < warm_each_) begin(connection, time);
    return;
  }
  startNext(connection, time);
}

void Client::startNext(Connection& connection, int64_t now) {
  int64_t started = now;
  if (options_.rate > 0) {
    if (connection.due.empty()) return;
    started = connection.due.front();
    connection.due.pop_front();
  } else {
    if (!mayStart(now)) return;
    ++begun_;
  }
  if (options_.reconnect) open(connection);
  begin(connection, started);
}

// At a fixed rate: all whose time has come. Who is busy takes it up after its answer.
void Client::startDue(int64_t now) {
  while (mayStart(now)) {
    const int64_t due = nextDue();
    if (due > now || due > end_at_) return;
    Connection& connection = *connections_[begun_ % connections_.size()];
    ++begun_;
    connection.due.push_back(due);
    if (connection.request == nullptr) startNext(connection, now);
  }
}

int64_t Client::nextDue() const {
  return begin_at_ + static_cast<int64_t>(static_cast<double>(begun_) * kSecond / options_.rate);
}

bool Client::mayStart(int64_t now) const { return now < end_at_ && (options_.count == 0 || begun_ < options_.count); }

void Client::fail(const std::string& why) {
  if (fault_.empty()) fault_ = why;
}

}  // namespace bench
