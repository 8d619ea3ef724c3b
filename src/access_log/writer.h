// Writes one file (or standard output) for the whole process, on a thread of its own.
//
// Workers hand over blocks of whole lines and never wait: when kMaxPending bytes are waiting because the disk or the
// reader of a pipe does not keep up, further blocks are dropped and their lines counted. What the system refuses to
// take (a full disk, a closed pipe) is counted and dropped too; the next block is tried again.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "access_log/spec.h"
#include "base/result.h"
#include "net/fd.h"
#include "stats/stats.h"

namespace weir::access_log {

// Envoy's filesystem.* values, and ours for what was lost.
struct WriterStats {
  explicit WriterStats(stats::Store& store);
  stats::Counter& write_buffered;    // Lines.
  stats::Counter& write_completed;   // Blocks that were written.
  stats::Counter& write_failed;      // Blocks that were not, or not whole.
  stats::Counter& flushed_by_timer;  // Blocks that were handed over because of their age.
  stats::Counter& reopen_failed;
  stats::Counter& lines_dropped;       // Ours: lost by either cause.
  stats::Gauge& write_total_buffered;  // Bytes that wait for the writer.
};

class Writer {
 public:
  static constexpr size_t kMaxPending = 16 * 1024 * 1024;
  // How long a stop waits for what is pending.
  static constexpr base::Duration kStopLimit = std::chrono::seconds(1);

  // Opens the file (appending; created with mode 0644) and starts the thread. An error is the operator's.
  static base::Result<std::shared_ptr<Writer>> create(const SinkSpec& sink, WriterStats& stats);
  // Writes what is pending, for at most kStopLimit. No worker may hand over any more.
  ~Writer();

  // Thread-safe, lock-free. lines: how many there are in block, for counting.
  void handOver(std::string block, uint32_t lines);
  // Opens the path anew before the next write: the file was moved away. Thread-safe.
  void reopen();

  WriterStats& stats() { return stats_; }
  const SinkSpec& sink() const { return sink_; }

 private:
  struct Block {
    std::string bytes;
    uint32_t lines;
    Block* next;
  };

  Writer(SinkSpec sink, net::Fd file, WriterStats& stats);
  static base::Result<net::Fd> open(const SinkSpec& sink);
  void run();
  void wake();
  void reopenNow();
  void write(const Block& block);
  // How many bytes were taken.
  size_t writeBytes(std::string_view bytes);
  bool writable();
  bool outOfTime() const;

  const SinkSpec sink_;
  net::Fd file_;
  bool may_block_ = false;  // No regular file: asked with poll() before each write.
  bool line_cut_ = false;   // The last write ended within a line.
  WriterStats& stats_;
  std::atomic<Block*> pending_{nullptr};  // Newest first.
  std::atomic<size_t> pending_bytes_{0};
  std::atomic<uint32_t> signal_{0};
  std::atomic<bool> reopen_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<int64_t> stop_by_{0};  // Nanoseconds of the monotonic clock.
  std::thread thread_;
};

// All writers of the process, one per file. Used by the main thread; lives longer than all workers.
class Writers {
 public:
  explicit Writers(stats::Store& store) : stats_(store) {}
  base::Result<std::shared_ptr<Writer>> get(const SinkSpec& sink);
  void reopenAll();

 private:
  WriterStats stats_;
  std::vector<std::weak_ptr<Writer>> writers_;
};

}  // namespace weir::access_log
