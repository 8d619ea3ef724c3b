// Access logs that are no lines of a file: entries go to somebody of a folder above this one (a plugin), who is known
// here by these four types alone.
//
//   config -> SinkConfig -> load(): SharedSink (once, shared by workers) -> open(): Sink (one per worker) ->
//   write(entry)
#pragma once

#include <memory>

#include "base/result.h"
#include "format/entry.h"

namespace weir::access_log {

// As configured: plain data, read by whoever loads it.
struct SinkConfig {
  virtual ~SinkConfig() = default;
};

// Immutable.
class SharedSink {
 public:
  virtual ~SharedSink() = default;
};

// Belongs to the worker's thread.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void write(const format::Entry& entry) = 0;
};

// Of the process; main thread.
class SinkLoader {
 public:
  virtual base::Result<std::shared_ptr<const SharedSink>> load(const SinkConfig& config) = 0;

 protected:
  ~SinkLoader() = default;
};

// Of a worker, on its thread.
class SinkOpener {
 public:
  virtual std::shared_ptr<Sink> open(const SharedSink& shared) = 0;

 protected:
  ~SinkOpener() = default;
};

}  // namespace weir::access_log
