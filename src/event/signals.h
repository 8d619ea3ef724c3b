// Process signals as events on a loop: what a handler does is ordinary code, not signal-handler code.
#pragma once

#include <functional>

#include "base/result.h"
#include "event/loop.h"

namespace weir::event {

// Blocks SIGTERM, SIGINT, SIGHUP and SIGUSR1 and ignores SIGPIPE. Call in main before any thread starts: threads
// inherit the mask, and a signal that some thread has not blocked would end the process there.
void blockSignals();

// Delivers the signals that blockSignals() blocked to one loop. One at a time per process.
class Signals final : private IoHandler {
 public:
  static base::Result<std::unique_ptr<Signals>> open(Loop& loop, std::function<void(int signal)> on_signal);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  Signals(Loop& loop, int fd, std::function<void(int)> on_signal);
  void onIo(uint32_t events) override;

  Loop& loop_;
  int fd_;
  std::function<void(int)> on_signal_;
};

}  // namespace weir::event
