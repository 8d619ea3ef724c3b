#include "server/admin.h"

#include "base/log.h"
#include "net/socket_stream.h"

namespace weir::server {

AdminEndpoint::AdminEndpoint(event::Loop& loop, AdminSource& source, stats::Store& stats)
    : loop_(loop), source_(source), stats_(stats) {}

AdminEndpoint::~AdminEndpoint() = default;

base::Result<std::unique_ptr<AdminEndpoint>> AdminEndpoint::open(event::Loop& loop, const net::Address& address,
                                                                 AdminSource& source, stats::Store& stats) {
  std::unique_ptr<AdminEndpoint> endpoint(new AdminEndpoint(loop, source, stats));
  net::ListenOptions options;
  options.reuse_port = false;  // One socket: an address that another process has is to be noticed.
  auto listener = net::Listener::bind(loop, address, options, *endpoint);
  if (!listener.ok()) return std::move(listener).error().in("admin");
  endpoint->listener_ = *std::move(listener);
  if (auto started = endpoint->listener_->start(); !started.ok()) return std::move(started).error().in("admin");
  return endpoint;
}

base::Result<std::unique_ptr<AdminEndpoint>> AdminEndpoint::adopt(event::Loop& loop, net::Fd socket,
                                                                  AdminSource& source, stats::Store& stats) {
  std::unique_ptr<AdminEndpoint> endpoint(new AdminEndpoint(loop, source, stats));
  auto listener = net::Listener::adopt(loop, std::move(socket), {}, *endpoint);
  if (!listener.ok()) return std::move(listener).error().in("admin");
  endpoint->listener_ = *std::move(listener);
  if (auto started = endpoint->listener_->start(); !started.ok()) return std::move(started).error().in("admin");
  return endpoint;
}

void AdminEndpoint::onAccepted(net::Fd socket, const net::Address& peer) {
  if (connections_.size() >= kMaxConnections) {
    LOG(Admin, Warning, "more than {} admin connections: one from {} was closed", kMaxConnections, peer.toString());
    return;
  }
  auto connection = std::make_unique<AdminConnection>(loop_, static_cast<AdminConnection::Owner&>(*this),
                                                      net::SocketStream::accepted(loop_, std::move(socket), peer));
  AdminConnection& started = *connection;
  connections_.emplace(&started, std::move(connection));
  started.start();
}

void AdminEndpoint::onAcceptFailed(const base::Error& why) {
  LOG(Admin, Warning, "the admin endpoint cannot accept for the moment: {}", why.detail);
}

AdminAnswer AdminEndpoint::answer(std::string_view method, std::string_view target) {
  return answerAdmin({source_, stats_, loop_.wallNow()}, method, target);
}

void AdminEndpoint::onConnectionOver(AdminConnection& connection) {
  const auto at = connections_.find(&connection);
  if (at == connections_.end()) return;
  loop_.destroyLater(std::move(at->second));
  connections_.erase(at);
}

}  // namespace weir::server
