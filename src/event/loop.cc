#include "event/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "event/timer_wheel.h"

namespace weir::event {
namespace {

// Events that one turn serves at most: the rest waits in the kernel for the next turn, in the order of readiness.
constexpr int kMaxEventsPerTurn = 256;

// A turn without timers still ends now and then, so that a lost wake-up could never stop a loop for good.
constexpr int kLongestWaitMs = 60'000;

uint32_t toEpoll(uint32_t interest) {
  uint32_t events = 0;
  if (interest & kReadable) events |= EPOLLIN;
  if (interest & kWritable) events |= EPOLLOUT;
  if (interest & kPeerEnded) events |= EPOLLRDHUP;
  return events;
}

uint32_t fromEpoll(uint32_t events) {
  uint32_t told = 0;
  if (events & EPOLLIN) told |= kReadable;
  if (events & EPOLLOUT) told |= kWritable;
  if (events & EPOLLRDHUP) told |= kPeerEnded;
  if (events & (EPOLLERR | EPOLLHUP)) told |= kClosed;
  return told;
}

uint64_t tag(int fd, uint32_t generation) {
  return static_cast<uint64_t>(generation) << 32 | static_cast<uint32_t>(fd);
}

uint64_t thisThread() { return static_cast<uint64_t>(pthread_self()); }

}  // namespace

TurnEnd::TurnEnd(Loop& loop, std::function<void()> task) : loop_(loop), task_(std::move(task)) {}

TurnEnd::~TurnEnd() {
  if (!scheduled_) return;
  std::replace(loop_.scheduled_.begin(), loop_.scheduled_.end(), this, static_cast<TurnEnd*>(nullptr));
  std::replace(loop_.ending_scheduled_.begin(), loop_.ending_scheduled_.end(), this, static_cast<TurnEnd*>(nullptr));
}

void TurnEnd::schedule() {
  if (std::exchange(scheduled_, true)) return;
  loop_.scheduled_.push_back(this);
}

Loop::Loop(const base::Clock& clock)
    : clock_(clock), now_(clock.monotonic()), timers_(std::make_unique<TimerWheel>(now_)) {
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  CHECK(epoll_fd_ >= 0 && wake_fd_ >= 0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag(wake_fd_, 0);
  CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event) == 0);
  thread_.store(thisThread(), std::memory_order_relaxed);
}

Loop::~Loop() {
  posted_.clear();
  turn_end_.clear();
  while (!deferred_.empty()) std::exchange(deferred_, {}).clear();
  close(wake_fd_);
  close(epoll_fd_);
}

void Loop::run() {
  thread_.store(thisThread(), std::memory_order_relaxed);
  now_ = clock_.monotonic();
  do {
    turn(true);
  } while (!stopping_.load(std::memory_order_acquire));
  stopping_.store(false, std::memory_order_relaxed);
}

void Loop::runReady() {
  thread_.store(thisThread(), std::memory_order_relaxed);
  turn(false);
}

void Loop::stop() {
  stopping_.store(true, std::memory_order_release);
  wake();
}

void Loop::post(std::function<void()> task) {
  bool first = false;
  {
    const std::lock_guard lock(posted_mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(task));
    any_posted_.store(true, std::memory_order_release);
  }
  if (first) wake();
}

bool Loop::onThisThread() const { return thread_.load(std::memory_order_relaxed) == thisThread(); }

void Loop::wake() {
  const uint64_t one = 1;
  // It fails only when the counter is full, and then the loop is awake.
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof one);
}

void Loop::clearWake() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(wake_fd_, &count, sizeof count);
}

void Loop::turn(bool may_wait) {
  const bool wait = may_wait && !stopping_.load(std::memory_order_acquire);
  epoll_event events[kMaxEventsPerTurn];
  const int count = epoll_wait(epoll_fd_, events, kMaxEventsPerTurn, wait ? waitForNextTimer() : 0);
  CHECK(count >= 0 || errno == EINTR);

  now_ = clock_.monotonic();
  wall_known_ = false;
  in_turn_ = true;
  serve(events, count);
  timers_->fireDue(now_);
  runPosted();
  endTurn();
  in_turn_ = false;
}

// Rounded up: waking before the tick would only mean waiting again. Counted from the beginning of the turn: a second
// look at the clock would cost every turn what only a long one gains.
int Loop::waitForNextTimer() const {
  if (!scheduled_.empty() || !turn_end_.empty() || !deferred_.empty()) return 0;
  if (timers_->empty()) return kLongestWaitMs;
  const std::optional<base::Duration> until = timers_->untilNext(now_);
  if (!until) return kLongestWaitMs;
  const auto ms = (*until + std::chrono::milliseconds(1) - base::Duration(1)) / std::chrono::milliseconds(1);
  return static_cast<int>(std::min<int64_t>(ms, kLongestWaitMs));
}

void Loop::serve(const epoll_event* events, int count) {
  for (int i = 0; i < count; ++i) {
    const int fd = static_cast<int>(events[i].data.u64 & 0xffffffffu);
    if (fd == wake_fd_) {
      clearWake();
      continue;
    }
    // A handler before this one may have ended the registration, and a new one may have got the same number.
    const Registration& registration = registrations_[fd];
    if (registration.handler == nullptr || events[i].data.u64 != tag(fd, registration.generation)) continue;
    registration.handler->onIo(fromEpoll(events[i].events));
  }
}

void Loop::runPosted() {
  if (!any_posted_.load(std::memory_order_acquire)) return;
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(posted_mutex_);
    tasks.swap(posted_);
    any_posted_.store(false, std::memory_order_relaxed);
  }
  for (std::function<void()>& task : tasks) {
    task();
    task = nullptr;  // What it holds goes in its turn too.
  }
}

// What is destroyed may put off further ends or tasks: they belong to the same turn. Rounds are few: each level of an
// ownership chain adds one.
void Loop::endTurn() {
  while (!scheduled_.empty() || !turn_end_.empty() || !deferred_.empty()) {
    ending_scheduled_.swap(scheduled_);
    for (size_t i = 0; i < ending_scheduled_.size(); ++i) {
      TurnEnd* const due = ending_scheduled_[i];
      if (due == nullptr) continue;
      ending_scheduled_[i] = nullptr;
      due->scheduled_ = false;
      due->task_();
    }
    ending_scheduled_.clear();
    ending_tasks_.swap(turn_end_);
    for (const std::function<void()>& task : ending_tasks_) task();
    ending_tasks_.clear();
    ending_objects_.swap(deferred_);
    for (std::unique_ptr<Deferred>& object : ending_objects_) object.reset();
    ending_objects_.clear();
  }
}

base::Result<void> Loop::watch(int fd, uint32_t interest, IoHandler& handler) {
  CHECK(fd >= 0);
  if (static_cast<size_t>(fd) >= registrations_.size()) registrations_.resize(fd + 1);
  Registration& registration = registrations_[fd];
  CHECK(registration.handler == nullptr);
  epoll_event event{};
  event.events = toEpoll(interest);
  event.data.u64 = tag(fd, ++registration.generation);
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
    return base::Error{base::Code::Io, base::Side::Self, base::Retry::No,
                       "cannot watch a descriptor: " + std::generic_category().message(errno)};
  }
  registration.handler = &handler;
  return base::Ok{};
}

void Loop::setInterest(int fd, uint32_t interest, IoHandler& handler) {
  Registration& registration = registrations_[fd];
  CHECK(registration.handler != nullptr);
  registration.handler = &handler;
  epoll_event event{};
  event.events = toEpoll(interest);
  event.data.u64 = tag(fd, registration.generation);
  CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0);
}

void Loop::unwatch(int fd) {
  Registration& registration = registrations_[fd];
  CHECK(registration.handler != nullptr);
  registration.handler = nullptr;
  ++registration.generation;
  CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr) == 0);
}

void Loop::destroyLater(std::unique_ptr<Deferred> last) { deferred_.push_back(std::move(last)); }

void Loop::atTurnEnd(std::function<void()> task) { turn_end_.push_back(std::move(task)); }

}  // namespace weir::event
