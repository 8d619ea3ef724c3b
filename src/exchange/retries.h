// What an exchange holds only while its request may be tried again, or its tries are timed one by one.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/buffer.h"
#include "event/timer.h"
#include "exchange/retry_state.h"
#include "http/metadata.h"
#include "upstream/cluster.h"

namespace weir::exchange {

struct Retries {
  Retries(event::Loop& loop, std::function<void()> on_back_off, std::function<void()> on_try_timeout,
          std::function<void()> on_try_idle)
      : back_off(loop, std::move(on_back_off)),
        try_timer(loop, std::move(on_try_timeout)),
        try_idle_timer(loop, std::move(on_try_idle)) {}

  // No further try, and none of the timers.
  void end() {
    state.reset();
    body.clear();
    metadata.clear();
    metadata_bytes = 0;
    back_off.disarm();
    try_timer.disarm();
    try_idle_timer.disarm();
  }
  // A try is over: its timers with it.
  void endTry() {
    try_timer.disarm();
    try_idle_timer.disarm();
  }
  // Between two tries.
  bool waiting() const { return back_off.armed(); }

  std::unique_ptr<RetryState> state;     // Null: there will be no further try.
  base::BufferChain body;                // What has been forwarded, kept while there is a state;
  std::vector<http::Metadata> metadata;  // this, too. It is repeated before the body.
  size_t metadata_bytes = 0;
  std::vector<http::Metadata> early_metadata;  // Of a try's answer whose headers have not come.
  std::vector<const upstream::Endpoint*> tried;
  bool request_started = false;  // A byte of the request has been sent, in any try.
  bool timed_out = false;        // The last try took too long.
  event::Timer back_off;
  event::Timer try_timer;
  event::Timer try_idle_timer;
};

}  // namespace weir::exchange
