// What one worker has for one writer: lines are gathered into a block, which is handed over when it is big enough or
// the flush interval has passed since its first line.
//
// Belongs to the worker's thread. Hands over what it has when it is destroyed.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "access_log/writer.h"
#include "event/loop.h"
#include "event/timer.h"

namespace weir::access_log {

// Envoy's --file-flush-interval-msec and --file-flush-min-size-kb.
struct FlushRules {
  base::Duration interval = std::chrono::seconds(10);
  size_t min_size = 64 * 1024;
};

class Feed {
 public:
  Feed(event::Loop& loop, std::shared_ptr<Writer> writer, const FlushRules& rules);
  ~Feed();

  // Where the next line goes: append it, then call lineAdded().
  std::string& block() { return block_; }
  void lineAdded();

 private:
  void handOver();

  const std::shared_ptr<Writer> writer_;
  const FlushRules rules_;
  std::string block_;
  uint32_t lines_ = 0;
  event::Timer timer_;
};

// The feeds of one worker. Lives longer than the logs that were bound to it.
class Feeds {
 public:
  Feeds(event::Loop& loop, FlushRules rules) : loop_(loop), rules_(rules) {}
  std::shared_ptr<Feed> get(const std::shared_ptr<Writer>& writer);

 private:
  event::Loop& loop_;
  const FlushRules rules_;
  std::map<Writer*, std::weak_ptr<Feed>> feeds_;
};

}  // namespace weir::access_log
