// What an exchange tells the access logs, header values with operators, and local replies about itself.
#include "exchange/client_connection.h"
#include "exchange/exchange.h"

namespace weir::exchange {

format::Entry Exchange::logEntry(format::LogType type) const {
  const auto present = [](const http::HeaderMap& headers) { return headers.empty() ? nullptr : &headers; };
  return {.info = info_,
          .request = present(request_headers_),
          .response = present(response_headers_),
          .trailers = present(response_trailers_),
          .type = type,
          .now = manager_.loop.wallNow(),
          .since_start = manager_.loop.now() - info_.start_monotonic,
          .random = &manager_.random};
}

void Exchange::writeAccessLogs(format::LogType type) {
  if (manager_.access_logs.empty()) return;
  noteBytes();
  manager_.access_logs.write(logEntry(type), manager_.random);
}

// Both streams know what has gone over the wire as long as they live. Only logs ask for it.
void Exchange::noteBytes() {
  if (manager_.access_logs.empty()) return;
  if (stream_ != nullptr) info_.wire = filter::wireBytes(*stream_);
  if (attempt_ != nullptr && info_.upstream) info_.upstream->wire = attempt_->wire();
}

// What is known of the upstream's connection once the attempt has it.
void Exchange::noteConnection(const upstream::ConnectionWaiter::Granted& granted) {
  filter::UpstreamInfo& upstream = *info_.upstream;
  const base::MonotonicTime now = manager_.loop.now();
  upstream.connected = true;
  upstream.pool_ready = now - attempt_started_;
  upstream.request_began = now - info_.start_monotonic;
  if (forward_ended_) upstream.request_ended = upstream.request_began;
  const upstream::ConnectionFacts* facts = granted.facts;
  if (facts == nullptr) return;
  upstream.protocol = facts->protocol;
  upstream.connection_id = facts->id;
  upstream.connect_began = facts->connect_began - info_.start_monotonic;
  upstream.connect_ended = facts->connect_ended - info_.start_monotonic;
  upstream.handshake_ended.reset();
  if (facts->handshake_ended) upstream.handshake_ended = *facts->handshake_ended - info_.start_monotonic;
}

// access_log_flush_interval: long streams are told of while they run.
void Exchange::startPeriodicLog() {
  const auto& interval = manager_.spec->access_log_options.interval;
  if (!interval || manager_.access_logs.empty()) return;
  log_timer_.emplace(manager_.loop, [this] {
    writeAccessLogs(format::LogType::DownstreamPeriodic);
    log_timer_->arm(*manager_.spec->access_log_options.interval);
  });
  log_timer_->arm(*interval);
}

}  // namespace weir::exchange
