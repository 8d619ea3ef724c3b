#include "upstream/check_connection.h"

#include "upstream/connection.h"

namespace weir::upstream {

CheckConnection::CheckConnection(const ProbeParts& parts, bool http2, Owner& owner)
    : cluster_(parts.cluster),
      stats_(parts.stats),
      loop_(parts.loop),
      speaks_http2_(http2),
      owner_(&owner),
      stream_(parts.connector.connectTo(*parts.target, {.only_http2 = http2, .check = true}, parts.check.timeout)),
      flush_(parts.loop, [this] { flush(); }),
      work_(parts.loop, [this] { work(); }) {}

void CheckConnection::drop(std::unique_ptr<CheckConnection>& connection, event::Loop& loop) {
  if (connection == nullptr) return;
  connection->close();
  loop.destroyLater(std::move(connection));
}

void CheckConnection::onConnected() {
  if (speaks_http2_) {
    codec_ = http2::createClientCodec(*this, *this, http2Settings(cluster_), stats_.http2(), loop_.clock());
  } else {
    codec_ = http1::createClientCodec(*this, {}, this);
  }
  owner_->onCheckConnected();
}

void CheckConnection::onBytes(base::BufferChain& received) {
  if (!codec_->receive(received).ok()) lose("");
}

void CheckConnection::onEnd() {
  codec_->receiveEnd();
  lose("");
}

void CheckConnection::onGoAway(uint32_t code) {
  if (owner_ != nullptr) owner_->onCheckGoAway(code);
}

void CheckConnection::work() {
  if (owner_ == nullptr) return;
  base::BufferChain nothing;
  if (!codec_->receive(nothing).ok()) lose("");
}

void CheckConnection::send(base::BufferChain& bytes) {
  if (owner_ == nullptr) return bytes.clear();
  out_.append(bytes);
  flush_.schedule();
}

void CheckConnection::flush() {
  if (owner_ != nullptr && !out_.empty()) stream_->write(out_);
}

void CheckConnection::close() {
  if (owner_ == nullptr) return;
  owner_ = nullptr;
  stream_->close(net::ByteStream::Close::Now);
}

void CheckConnection::lose(std::string_view detail) {
  if (owner_ == nullptr) return;
  if (codec_ != nullptr) codec_->connectionLost(detail);
  if (owner_ == nullptr) return;
  Owner* const owner = owner_;
  close();
  owner->onCheckConnectionLost();
}

// As Envoy: what is absent or there is judged before any is added, and values that replace others go first.
void addHeaders(const std::vector<HealthCheckSpec::AddedHeader>& added, http::HeaderMap& headers) {
  using How = HealthCheckSpec::AddedHeader::How;
  std::vector<const HealthCheckSpec::AddedHeader*> set, add;
  for (const HealthCheckSpec::AddedHeader& each : added) {
    const bool present = headers.get(each.name).has_value();
    if (each.how == How::Append || (each.how == How::IfAbsent && !present)) add.push_back(&each);
    if (each.how == How::Set || (each.how == How::SetIfPresent && present)) set.push_back(&each);
  }
  for (const auto* each : set) headers.set(each->name, each->value);
  for (const auto* each : add) headers.add(each->name, each->value);
}

}  // namespace weir::upstream
