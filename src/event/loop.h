// One thread's event loop: sockets, timers, and tasks posted by other threads.
//
// Everything but post() and stop() belongs to the thread that runs the loop. A turn is: wait, serve what is ready, fire
// timers that are due, run posted tasks, run the end-of-turn tasks, destroy what was deferred. Time stands still within
// a turn: now() is read once.
//
// epoll, level-triggered, one registration per socket for its whole life (performance: no epoll_ctl per request). A
// handler that does not want to be told for a while changes its interest and pays one system call for it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

struct epoll_event;

namespace weir::event {

// What a handler is told, and what it asks for. Closed (error or both sides hung up) is always told.
enum Io : uint32_t { kReadable = 1, kWritable = 2, kPeerEnded = 4, kClosed = 8 };

class Loop;

class IoHandler {
 public:
  // events: bits of Io. May unwatch or destroy itself.
  virtual void onIo(uint32_t events) = 0;

 protected:
  ~IoHandler() = default;
};

// Something whose end is put off to the end of the turn, because callers up the stack still stand in it.
class Deferred {
 public:
  virtual ~Deferred() = default;
};

// A task for the end of a turn, with an owner: scheduling allocates nothing, and destroying it takes it back. For what
// is gathered in a turn and done once, like sending what was written.
class TurnEnd {
 public:
  TurnEnd(Loop& loop, std::function<void()> task);
  ~TurnEnd();
  TurnEnd(const TurnEnd&) = delete;
  TurnEnd& operator=(const TurnEnd&) = delete;
  // Runs the task once at the end of this turn (outside of a turn: of the next), however often it is called till then.
  // The task must not destroy this object.
  void schedule();

 private:
  friend class Loop;
  Loop& loop_;
  std::function<void()> task_;
  bool scheduled_ = false;
};

class Timer;
class TimerWheel;

class Loop {
 public:
  // The clock must outlive the loop. With a ManualClock the loop never sleeps: use runReady() and advance the clock.
  explicit Loop(const base::Clock& clock);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Turns until stop(). A stop() before run() makes run() return after one turn.
  void run();
  // One turn that waits for nothing; for tests.
  void runReady();
  // Thread-safe and safe in a signal handler's thread; the current turn ends first.
  void stop();
  // Thread-safe. Runs on the loop's thread, in order of posting. Tasks still queued at destruction are destroyed unrun.
  void post(std::function<void()> task);
  // True on the thread that runs (or last ran) the loop.
  bool onThisThread() const;

  // Tells handler what happens at fd until unwatch(fd). The fd stays the caller's and must be unwatched before close().
  // An error is the system's (no memory or no room for the registration).
  base::Result<void> watch(int fd, uint32_t interest, IoHandler& handler);
  void setInterest(int fd, uint32_t interest, IoHandler& handler);
  // Also drops what this turn had still to tell.
  void unwatch(int fd);

  // Destroyed at the end of this turn, in order.
  void destroyLater(std::unique_ptr<Deferred> last);
  // Runs once at the end of this turn (outside of a turn: of the next), before deferred objects are destroyed.
  void atTurnEnd(std::function<void()> task);

  // Within a turn the time at which it began to serve; outside of one (before run(), in a test) the clock's.
  base::MonotonicTime now() const { return in_turn_ ? now_ : clock_.monotonic(); }
  // Within a turn as it was when it was first asked for.
  base::WallTime wallNow() const {
    if (!in_turn_) return clock_.wall();
    if (!wall_known_) {
      wall_ = clock_.wall();
      wall_known_ = true;
    }
    return wall_;
  }
  const base::Clock& clock() const { return clock_; }
  TimerWheel& timers() { return *timers_; }

 private:
  friend class TurnEnd;
  void turn(bool may_wait);
  void serve(const epoll_event* events, int count);
  void wake();
  void clearWake();
  void runPosted();
  void endTurn();
  int waitForNextTimer() const;

  const base::Clock& clock_;
  base::MonotonicTime now_;
  bool in_turn_ = false;
  mutable bool wall_known_ = false;
  mutable base::WallTime wall_{};
  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  struct Registration {
    IoHandler* handler = nullptr;
    uint32_t generation = 0;  // Told apart from a later registration of the same fd number within one turn.
  };
  std::vector<Registration> registrations_;  // By fd.
  std::unique_ptr<TimerWheel> timers_;
  std::vector<std::unique_ptr<Deferred>> deferred_;
  std::vector<std::function<void()>> turn_end_;
  std::vector<TurnEnd*> scheduled_;  // Null: taken back.
  // What endTurn() works on: kept, so that a turn's end allocates nothing.
  std::vector<std::unique_ptr<Deferred>> ending_objects_;
  std::vector<std::function<void()>> ending_tasks_;
  std::vector<TurnEnd*> ending_scheduled_;
  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;
  std::atomic<bool> any_posted_{false};  // Saves the lock in the turns (nearly all) without a task.
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> thread_{0};
};

}  // namespace weir::event
