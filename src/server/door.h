// One listener on one worker, and the connections that came through it.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "exchange/client_connection.h"
#include "net/listener.h"
#include "server/shared.h"

namespace weir::server {

// Belongs to the worker's thread.
class Door final : private net::Listener::Acceptor, private exchange::ClientConnection::Owner {
 public:
  // manager must live as long as the door. on_gone is called for each connection that has ended.
  Door(SharedListener& shared, event::Loop& loop, std::function<void()> on_come, std::function<void()> on_gone);
  ~Door();

  base::Result<void> bind();
  const net::Address& address() const { return listener_->address(); }
  void setManager(std::unique_ptr<exchange::HttpManager> manager) { manager_ = std::move(manager); }
  // Listens. An error is the operator's.
  base::Result<void> open();
  // Stops accepting and asks every client to go.
  void drain();
  void closeNow();
  size_t connections() const { return connections_.size(); }

 private:
  // net::Listener::Acceptor
  void onAccepted(net::Fd socket, const net::Address& peer) override;
  void onAcceptFailed(const base::Error& why) override;
  // exchange::ClientConnection::Owner
  void onConnectionClosed(exchange::ClientConnection& connection) override;

  SharedListener& shared_;
  event::Loop& loop_;
  std::function<void()> on_come_;
  std::function<void()> on_gone_;
  std::unique_ptr<net::Listener> listener_;
  std::unique_ptr<exchange::HttpManager> manager_;
  std::unordered_map<exchange::ClientConnection*, std::unique_ptr<exchange::ClientConnection>> connections_;
};

}  // namespace weir::server
