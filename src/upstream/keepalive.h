// Pings that look whether the peer of a connection by HTTP/2 is still there (connection_keepalive), in either role. As
// Envoy: the next ping is due an interval after the last one was answered, and whatever comes from the peer meanwhile
// gives it its whole time to answer again.
//
// Owned by the connection. dead is told from the loop, once: the peer has been silent for too long.
#pragma once

#include <functional>

#include "base/random.h"
#include "event/timer.h"
#include "http2/settings.h"

namespace weir::upstream {

class Keepalive {
 public:
  Keepalive(event::Loop& loop, base::Random& random, const http2::Keepalive& settings, std::function<void()> ping,
            std::function<void()> dead);

  // The peer has answered a ping; whose, it does not say.
  void onAnswered();
  // Something has come from the peer.
  void onReceived();
  // Client side: a stream is about to begin. After a long silence a ping goes ahead of it.
  void onNewStream();
  // The connection is over.
  void end();

 private:
  void send();
  void awaitNext();

  event::Loop& loop_;
  base::Random& random_;
  const http2::Keepalive settings_;
  const std::function<void()> ping_;
  base::MonotonicTime last_received_;
  event::Timer next_;
  event::Timer limit_;  // Armed while an answer is due.
};

}  // namespace weir::upstream
