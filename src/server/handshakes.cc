#include "server/handshakes.h"

#include "base/log.h"

namespace weir::server {

class Handshakes::Pending final : public event::Deferred {
 public:
  Pending(Handshakes& owner, std::unique_ptr<tls::Stream> stream, filter::ConnectionInfo info, OnEnd on_end)
      : stream(std::move(stream)),
        info(std::move(info)),
        on_end(std::move(on_end)),
        began(owner.loop_.now()),
        timer(owner.loop_,
              [this, &owner] { owner.finish(*this, this->stream == nullptr ? End::Failed : End::Timeout); }) {}

  std::unique_ptr<tls::Stream> stream;  // Null: there is no context to shake hands with.
  filter::ConnectionInfo info;
  OnEnd on_end;
  const base::MonotonicTime began;
  event::Timer timer;
};

Handshakes::Handshakes(event::Loop& loop) : loop_(loop) {}
Handshakes::~Handshakes() = default;

void Handshakes::begin(tls::LiveServer& tls, base::Duration timeout, std::unique_ptr<net::ByteStream> stream,
                       filter::ConnectionInfo info, OnEnd on_end) {
  auto context = tls.get();
  const bool ready = context != nullptr;
  if (!ready) tls.countNotReady();
  auto secured = ready ? tls::Stream::server(loop_, std::move(stream), std::move(context)) : nullptr;
  auto made = std::make_unique<Pending>(*this, std::move(secured), std::move(info), std::move(on_end));
  Pending& pending = *made;
  pending_.emplace(&pending, std::move(made));
  if (!ready) return pending.timer.arm(base::Duration::zero());
  if (timeout > base::Duration::zero()) pending.timer.arm(timeout);
  pending.stream->handshake([this, &pending](const base::Error* failure) {
    // As Envoy: a peer that just went is none of TLS's failures.
    const bool of_tls = failure != nullptr && failure->detail.starts_with("TLS");
    if (of_tls) pending.info.transport_failure_reason = failure->detail;
    if (failure != nullptr) LOG(Connection, Debug, "[C{}] {}", pending.info.id, failure->detail);
    finish(pending, failure == nullptr ? End::Done : End::Failed);
  });
}

// The stream stands up the stack: what is left of the handshake goes at the end of the turn.
void Handshakes::finish(Pending& pending, End end) {
  const auto at = pending_.find(&pending);
  if (at == pending_.end()) return;
  pending.timer.disarm();
  std::unique_ptr<tls::Stream> stream;
  if (end == End::Done) {
    stream = std::move(pending.stream);
    pending.info.tls = stream->info();
    pending.info.handshake = loop_.now() - pending.began;
  }
  if (end == End::Timeout) {
    pending.stream->close(net::ByteStream::Close::Now);
    pending.info.termination_details = "transport socket timeout was reached";
    pending.info.local_close_reason = "transport_socket_timeout";
  }
  const OnEnd on_end = std::move(pending.on_end);
  filter::ConnectionInfo info = std::move(pending.info);
  loop_.destroyLater(std::move(at->second));
  pending_.erase(at);
  on_end(end, std::move(stream), std::move(info));
}

void Handshakes::closeAll() {
  while (!pending_.empty()) {
    Pending& pending = *pending_.begin()->first;
    if (pending.stream != nullptr) pending.stream->close(net::ByteStream::Close::Now);
    finish(pending, End::Failed);
  }
}

}  // namespace weir::server
