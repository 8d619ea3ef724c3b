// The access logs of one HTTP connection manager, TCP proxy or listener.
//
//   config  ->  LogSpec  ->  CompiledLogs (once, shared by workers)  ->  Logs (one per worker)  ->  write(entry)
#pragma once

#include <memory>
#include <vector>

#include "access_log/feed.h"
#include "access_log/log_filter.h"
#include "access_log/spec.h"
#include "format/format.h"

namespace weir::access_log {

// Immutable; shared by all workers.
class CompiledLogs {
 public:
  // Opens the files. Error (side Operator): a file that cannot be opened, or what `config` has not refused before.
  // loader: for logs that are no files; null if there can be none.
  static base::Result<std::shared_ptr<const CompiledLogs>> create(const std::vector<LogSpec>& specs, Writers& writers,
                                                                  SinkLoader* loader = nullptr);

 private:
  friend class Logs;
  struct One {
    format::Format format;
    std::optional<LogFilter> filter;
    std::shared_ptr<Writer> writer;
    std::shared_ptr<const SharedSink> other;  // Instead of writer.
  };
  static base::Result<One> compile(const LogSpec& spec, Writers& writers, SinkLoader* loader);
  std::vector<One> logs_;
};

// On one worker. Without configured logs empty() is all that a request costs.
class Logs {
 public:
  Logs() = default;
  // compiled may be null: no logs. opener: for logs that are no files; null if there are none.
  Logs(std::shared_ptr<const CompiledLogs> compiled, Feeds& feeds, SinkOpener* opener = nullptr);

  bool empty() const { return ends_.empty(); }
  // Appends a line to each log whose filter lets the entry pass. Never blocks.
  void write(const format::Entry& entry, base::Random& random) const;

 private:
  std::shared_ptr<const CompiledLogs> compiled_;
  struct End {  // Of one log: one of the two.
    std::shared_ptr<Feed> feed;
    std::shared_ptr<Sink> sink;
  };
  std::vector<End> ends_;
};

}  // namespace weir::access_log
