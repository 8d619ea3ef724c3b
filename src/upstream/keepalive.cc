#include "upstream/keepalive.h"

#include "event/loop.h"

namespace weir::upstream {

Keepalive::Keepalive(event::Loop& loop, base::Random& random, const http2::Keepalive& settings,
                     std::function<void()> ping, std::function<void()> dead)
    : loop_(loop),
      random_(random),
      settings_(settings),
      ping_(std::move(ping)),
      last_received_(loop.now()),
      next_(loop, [this] { send(); }),
      limit_(loop, std::move(dead)) {
  awaitNext();
}

void Keepalive::awaitNext() {
  if (settings_.interval <= base::Duration::zero()) return;
  base::Duration interval = settings_.interval;
  const auto most = std::chrono::duration_cast<base::Duration>(interval * settings_.jitter_percent / 100);
  if (most > base::Duration::zero()) {
    interval += base::Duration(random_.below(static_cast<uint64_t>(most.count())));
  }
  next_.arm(interval);
}

void Keepalive::send() {
  if (limit_.armed()) return;
  ping_();
  limit_.arm(settings_.timeout);
}

void Keepalive::onAnswered() {
  limit_.disarm();
  awaitNext();
}

void Keepalive::onReceived() {
  last_received_ = loop_.now();
  if (limit_.armed()) limit_.arm(settings_.timeout);
}

void Keepalive::onNewStream() {
  if (settings_.idle_interval && loop_.now() - last_received_ > *settings_.idle_interval) send();
}

void Keepalive::end() {
  next_.disarm();
  limit_.disarm();
}

}  // namespace weir::upstream
