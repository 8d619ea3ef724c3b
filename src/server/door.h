// One listener on one worker, and the connections that came through it.
//
//   accepted socket -> listener filters -> filter chain match -> transport socket -> network filters
//
// A connection passes these stages in this order, each a function of door.cc. A listener that has no listener filters
// and one filter chain (most have) passes all of them at once, when it accepts.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "exchange/client_connection.h"
#include "net/listener.h"
#include "server/handshakes.h"
#include "server/shared.h"

namespace weir::server {

// A filter chain as one worker has it. Outlives its connections.
struct DoorChain {
  SharedFilterChain& shared;
  std::unique_ptr<exchange::HttpManager> http;  // Null: the chain does not end in HTTP.
};

// Belongs to the worker's thread.
class Door final : private net::Listener::Acceptor, private exchange::ClientConnection::Owner {
 public:
  // on_come is called for each connection that was accepted, on_gone when it has ended.
  Door(SharedListener& shared, event::Loop& loop, std::function<void()> on_come, std::function<void()> on_gone);
  ~Door();

  base::Result<void> bind();
  const net::Address& address() const { return listener_->address(); }
  SharedListener& shared() { return shared_; }
  // In the order of SharedListener::chains. What serves each chain must be put there before the door opens.
  std::vector<DoorChain>& chains() { return chains_; }
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

  // The stages.
  filter::ConnectionInfo describe(const net::ByteStream& stream, const net::Address& peer) const;
  DoorChain* match(const filter::ConnectionInfo& info);
  void enter(DoorChain& chain, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info);
  void secure(DoorChain& chain, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info);
  void serveHttp(DoorChain& chain, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info);
  void countGone();

  SharedListener& shared_;
  event::Loop& loop_;
  std::function<void()> on_come_;
  std::function<void()> on_gone_;
  std::unique_ptr<net::Listener> listener_;
  std::vector<DoorChain> chains_;
  Handshakes handshakes_;
  std::unordered_map<exchange::ClientConnection*, std::unique_ptr<exchange::ClientConnection>> connections_;
};

}  // namespace weir::server
