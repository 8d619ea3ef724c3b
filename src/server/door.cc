#include "server/door.h"

#include "base/log.h"
#include "net/connection_id.h"
#include "net/socket_stream.h"

namespace weir::server {

Door::Door(SharedListener& shared, event::Loop& loop, std::function<void()> on_come, std::function<void()> on_gone)
    : shared_(shared), loop_(loop), on_come_(std::move(on_come)), on_gone_(std::move(on_gone)), handshakes_(loop) {
  for (const auto& chain : shared.chains) chains_.push_back({*chain, nullptr});
}

Door::~Door() = default;

base::Result<void> Door::bind() {
  net::ListenOptions options;
  options.backlog = static_cast<int>(shared_.spec.backlog);
  auto listener = net::Listener::bind(loop_, shared_.address, options, *this);
  if (!listener.ok()) return std::move(listener).error().in("listener '" + shared_.spec.name + "'");
  listener_ = std::move(*listener);
  return base::Ok{};
}

base::Result<void> Door::open() { return listener_->start(); }

// --- The stages ---

// No listener filters yet: the chain is matched by what is known at once.
void Door::onAccepted(net::Fd socket, const net::Address& peer) {
  auto stream = net::SocketStream::accepted(loop_, std::move(socket), peer);
  filter::ConnectionInfo info = describe(*stream, peer);
  DoorChain* chain = match(info);
  if (chain == nullptr) return;
  enter(*chain, std::move(stream), std::move(info));
}

filter::ConnectionInfo Door::describe(const net::ByteStream& stream, const net::Address& peer) const {
  filter::ConnectionInfo info;
  info.id = net::nextConnectionId();
  info.local = stream.local();
  info.peer = peer;
  info.listener_metadata = shared_.spec.metadata;
  info.listener_direction = shared_.spec.direction;
  return info;
}

// Null: no chain fits, the connection is to be closed.
DoorChain* Door::match(const filter::ConnectionInfo& /*info*/) { return &chains_.front(); }

// The transport socket: the chain's TLS stands around the stream from here on.
void Door::enter(DoorChain& chain, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info) {
  shared_.stats->downstream_cx_total.add();
  shared_.stats->downstream_cx_active.add();
  on_come_();
  info.filter_chain_name = chain.shared.name;
  if (chain.shared.tls != nullptr) return secure(chain, std::move(stream), std::move(info));
  serveHttp(chain, std::move(stream), std::move(info));
}

void Door::secure(DoorChain& chain, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info) {
  using End = Handshakes::End;
  const auto on_end = [this, &chain](End end, std::unique_ptr<net::ByteStream> secured, filter::ConnectionInfo known) {
    if (end == End::Done) return serveHttp(chain, std::move(secured), std::move(known));
    if (end == End::Timeout) shared_.stats->downstream_cx_transport_socket_connect_timeout.add();
    countGone();
  };
  handshakes_.begin(*chain.shared.tls, chain.shared.handshake_timeout, std::move(stream), std::move(info), on_end);
}

void Door::serveHttp(DoorChain& chain, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info) {
  auto connection = std::make_unique<exchange::ClientConnection>(
      *chain.http, static_cast<exchange::ClientConnection::Owner&>(*this), std::move(stream), std::move(info));
  exchange::ClientConnection& started = *connection;
  connections_.emplace(&started, std::move(connection));
  started.start();
}

void Door::onAcceptFailed(const base::Error& why) {
  shared_.stats->downstream_cx_overflow.add();
  LOG(Connection, Warning, "listener '{}' cannot accept for the moment: {}", shared_.spec.name, why.detail);
}

// --- The end ---

void Door::onConnectionClosed(exchange::ClientConnection& connection) {
  const auto at = connections_.find(&connection);
  if (at == connections_.end()) return;
  loop_.destroyLater(std::move(at->second));
  connections_.erase(at);
  countGone();
}

void Door::countGone() {
  shared_.stats->downstream_cx_active.sub();
  shared_.stats->downstream_cx_destroy.add();
  on_gone_();
}

void Door::drain() {
  listener_->close();
  for (DoorChain& chain : chains_) {
    if (chain.http != nullptr) chain.http->draining = true;
  }
  // A connection that is idle leaves the table at once: walk over a copy.
  std::vector<exchange::ClientConnection*> all;
  for (const auto& [connection, owned] : connections_) all.push_back(connection);
  for (exchange::ClientConnection* connection : all) connection->drain();
}

void Door::closeNow() {
  listener_->close();
  handshakes_.closeAll();
  std::vector<exchange::ClientConnection*> all;
  for (const auto& [connection, owned] : connections_) all.push_back(connection);
  for (exchange::ClientConnection* connection : all) connection->closeNow();
}

}  // namespace weir::server
