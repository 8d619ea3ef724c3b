// The admin endpoint: a small HTTP/1.1 server on the main thread that shows and steers the process.
//
// It trusts whoever reaches it, as Envoy's does: bind it to where only operators come.
#pragma once

#include <memory>
#include <unordered_map>

#include "net/listener.h"
#include "server/admin_connection.h"
#include "server/admin_source.h"
#include "stats/stats.h"

namespace weir::server {

class AdminEndpoint final : private net::Listener::Acceptor, private AdminConnection::Owner {
 public:
  // Further connections are closed at once.
  static constexpr size_t kMaxConnections = 512;

  // Binds and listens. An error is the operator's, and names the admin endpoint and the address. Source and stats must
  // outlive it; it belongs to the loop's thread.
  static base::Result<std::unique_ptr<AdminEndpoint>> open(event::Loop& loop, const net::Address& address,
                                                           AdminSource& source, stats::Store& stats);
  // The same on a socket that another process had.
  static base::Result<std::unique_ptr<AdminEndpoint>> adopt(event::Loop& loop, net::Fd socket, AdminSource& source,
                                                            stats::Store& stats);
  ~AdminEndpoint();

  // As bound: with the port that port 0 became.
  const net::Address& address() const { return listener_->address(); }
  int descriptor() const { return listener_->fd(); }
  size_t connections() const { return connections_.size(); }

 private:
  AdminEndpoint(event::Loop& loop, AdminSource& source, stats::Store& stats);
  // net::Listener::Acceptor
  void onAccepted(net::Fd socket, const net::Address& peer) override;
  void onAcceptFailed(const base::Error& why) override;
  // AdminConnection::Owner
  AdminAnswer answer(std::string_view method, std::string_view target) override;
  void onConnectionOver(AdminConnection& connection) override;
  void onQuit() override { source_.quit(); }

  event::Loop& loop_;
  AdminSource& source_;
  stats::Store& stats_;
  std::unique_ptr<net::Listener> listener_;
  std::unordered_map<AdminConnection*, std::unique_ptr<AdminConnection>> connections_;
};

}  // namespace weir::server
