#include "event/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

#include "base/check.h"

namespace weir::event {
namespace {

sigset_t handledSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, signal);
  return set;
}

}  // namespace

void blockSignals() {
  const sigset_t set = handledSignals();
  CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  CHECK(std::signal(SIGPIPE, SIG_IGN) != SIG_ERR);
}

base::Result<std::unique_ptr<Signals>> Signals::open(Loop& loop, std::function<void(int)> on_signal) {
  const sigset_t set = handledSignals();
  const int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) {
    return base::Error{base::Code::Io, base::Side::Self, base::Retry::No,
                       "signalfd: " + std::generic_category().message(errno)};
  }
  std::unique_ptr<Signals> signals(new Signals(loop, fd, std::move(on_signal)));
  base::Result<void> watched = loop.watch(fd, kReadable, *signals);
  if (!watched.ok()) {
    close(std::exchange(signals->fd_, -1));
    return std::move(watched).error();
  }
  return signals;
}

Signals::Signals(Loop& loop, int fd, std::function<void(int)> on_signal)
    : loop_(loop), fd_(fd), on_signal_(std::move(on_signal)) {}

Signals::~Signals() {
  if (fd_ < 0) return;
  loop_.unwatch(fd_);
  close(fd_);
}

// One signal a turn, so that a handler may destroy this object; the rest stays readable.
void Signals::onIo(uint32_t) {
  signalfd_siginfo info{};
  if (read(fd_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return;
  const std::function<void(int)> on_signal = on_signal_;
  on_signal(static_cast<int>(info.ssi_signo));
}

}  // namespace weir::event
