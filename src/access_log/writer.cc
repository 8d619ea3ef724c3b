#include "access_log/writer.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/log.h"

namespace weir::access_log {
namespace {

// POSIX: a pipe that poll() calls writable takes so much without blocking.
constexpr size_t kPipeChunk = 4096;
constexpr int kPollMilliseconds = 100;  // How often a stuck writer looks whether it is to stop.

int64_t now() { return base::systemClock().monotonic().time_since_epoch().count(); }

std::string describe(const SinkSpec& sink) {
  if (sink.kind == SinkSpec::Kind::Stdout) return "standard output";
  return sink.kind == SinkSpec::Kind::Stderr ? "standard error" : "'" + sink.path + "'";
}

}  // namespace

WriterStats::WriterStats(stats::Store& store)
    : write_buffered(store.counter("filesystem.write_buffered")),
      write_completed(store.counter("filesystem.write_completed")),
      write_failed(store.counter("filesystem.write_failed")),
      flushed_by_timer(store.counter("filesystem.flushed_by_timer")),
      reopen_failed(store.counter("filesystem.reopen_failed")),
      lines_dropped(store.counter("filesystem.lines_dropped")),
      write_total_buffered(store.gauge("filesystem.write_total_buffered")) {}

base::Result<net::Fd> Writer::open(const SinkSpec& sink) {
  int fd = -1;
  switch (sink.kind) {
    case SinkSpec::Kind::File: fd = ::open(sink.path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644); break;
    case SinkSpec::Kind::Stdout: fd = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3); break;
    case SinkSpec::Kind::Stderr: fd = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3); break;
  }
  if (fd >= 0) return net::Fd(fd);
  const int reason = errno;
  return base::Error{base::Code::Io, base::Side::Operator, base::Retry::No,
                     "unable to open " + describe(sink) + ": " + std::strerror(reason)};
}

base::Result<std::shared_ptr<Writer>> Writer::create(const SinkSpec& sink, WriterStats& stats) {
  auto file = open(sink);
  if (!file.ok()) return std::move(file).error();
  return std::shared_ptr<Writer>(new Writer(sink, *std::move(file), stats));
}

Writer::Writer(SinkSpec sink, net::Fd file, WriterStats& stats)
    : sink_(std::move(sink)), file_(std::move(file)), stats_(stats) {
  struct stat kind {};
  may_block_ = ::fstat(file_.get(), &kind) != 0 || !S_ISREG(kind.st_mode);
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "weir:access_log");
}

Writer::~Writer() {
  stop_by_.store(now() + kStopLimit.count());
  stopping_.store(true);
  wake();
  thread_.join();
}

void Writer::handOver(std::string bytes, uint32_t lines) {
  const size_t size = bytes.size();
  if (pending_bytes_.fetch_add(size) + size > kMaxPending) {
    pending_bytes_.fetch_sub(size);
    stats_.lines_dropped.add(lines);
    return;
  }
  stats_.write_total_buffered.add(static_cast<int64_t>(size));
  auto* block = new Block{std::move(bytes), lines, pending_.load(std::memory_order_relaxed)};
  while (!pending_.compare_exchange_weak(block->next, block)) {
  }
  wake();
}

void Writer::reopen() {
  reopen_.store(true);
  wake();
}

void Writer::wake() {
  signal_.fetch_add(1);
  signal_.notify_one();
}

void Writer::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);  // Signals are the main thread's.
  while (true) {
    const uint32_t seen = signal_.load();
    const bool last = stopping_.load();
    if (reopen_.exchange(false)) reopenNow();
    Block* newest = pending_.exchange(nullptr);
    Block* oldest = nullptr;
    while (newest != nullptr) {
      Block* next = newest->next;
      newest->next = oldest;
      oldest = std::exchange(newest, next);
    }
    while (oldest != nullptr) {
      const std::unique_ptr<Block> block(std::exchange(oldest, oldest->next));
      write(*block);
    }
    if (last) return;
    signal_.wait(seen);
  }
}

void Writer::reopenNow() {
  if (sink_.kind != SinkSpec::Kind::File) return;
  auto file = open(sink_);
  if (file.ok()) {
    file_ = *std::move(file);
    line_cut_ = false;
    return;
  }
  stats_.reopen_failed.add();
  LOG(Main, Warning, "access log: {}; the old file is written on", file.error().detail);
}

void Writer::write(const Block& block) {
  pending_bytes_.fetch_sub(block.bytes.size());
  stats_.write_total_buffered.sub(static_cast<int64_t>(block.bytes.size()));
  if (line_cut_ && writeBytes("\n") == 1) line_cut_ = false;
  const size_t taken = line_cut_ ? 0 : writeBytes(block.bytes);
  if (taken == block.bytes.size()) return stats_.write_completed.add();
  stats_.write_failed.add();
  const auto begin = block.bytes.begin();
  const auto whole = static_cast<uint32_t>(std::count(begin, begin + static_cast<ptrdiff_t>(taken), '\n'));
  stats_.lines_dropped.add(block.lines - std::min(whole, block.lines));
  if (taken > 0 && block.bytes[taken - 1] != '\n') line_cut_ = true;
}

size_t Writer::writeBytes(std::string_view bytes) {
  size_t taken = 0;
  while (taken < bytes.size()) {
    if (outOfTime() || (may_block_ && !writable())) return taken;
    const size_t size = may_block_ ? std::min(kPipeChunk, bytes.size() - taken) : bytes.size() - taken;
    const ssize_t written = ::write(file_.get(), bytes.data() + taken, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return taken;
    taken += static_cast<size_t>(written);
  }
  return taken;
}

// Waits for a slow reader as long as it takes: only what is handed over meanwhile is bounded.
bool Writer::writable() {
  while (!outOfTime()) {
    pollfd wanted{file_.get(), POLLOUT, 0};
    const int ready = ::poll(&wanted, 1, kPollMilliseconds);
    if (ready > 0) return (wanted.revents & POLLOUT) != 0;
    if (ready < 0 && errno != EINTR) return false;
  }
  return false;
}

bool Writer::outOfTime() const { return stopping_.load() && now() > stop_by_.load(); }

base::Result<std::shared_ptr<Writer>> Writers::get(const SinkSpec& sink) {
  std::erase_if(writers_, [](const auto& writer) { return writer.expired(); });
  for (const auto& known : writers_) {
    auto writer = known.lock();
    if (writer != nullptr && writer->sink() == sink) return writer;
  }
  auto writer = Writer::create(sink, stats_);
  if (writer.ok()) writers_.push_back(*writer);
  return writer;
}

void Writers::reopenAll() {
  for (const auto& known : writers_) {
    if (const auto writer = known.lock()) writer->reopen();
  }
}

}  // namespace weir::access_log
