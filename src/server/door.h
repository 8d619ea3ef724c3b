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

#include "event/timer.h"
#include "exchange/client_connection.h"
#include "listener/approach.h"
#include "net/listener.h"
#include "server/handshakes.h"
#include "server/shared.h"
#include "tcp/connection.h"

namespace weir::server {

// A filter chain as one worker has it. Outlives its connections.
struct DoorChain {
  SharedFilterChain& shared;
  std::unique_ptr<exchange::HttpManager> http;
  // What serves a connection instead, or stands before HTTP; null: HTTP alone.
  std::unique_ptr<tcp::Chain> tcp;
};

// Belongs to the worker's thread.
class Door final : private net::Listener::Acceptor,
                   private listener::Approach::Owner,
                   private exchange::ClientConnection::Owner,
                   private tcp::Connection::Owner {
 public:
  struct Place {
    event::Loop& loop;
    base::Random& random;
    stats::Store& stats;
    uint32_t worker;
    ConnectionLimit& limit;         // Of all listeners together.
    access_log::Logs logs;          // The listener's.
    std::function<void()> on_come;  // A connection was accepted.
    std::function<void()> on_gone;  // It has ended.
  };
  Door(std::shared_ptr<SharedListener> shared, Place place);
  ~Door();

  // A bound socket, which may be listening already (for a door that this one replaces, or in another process).
  base::Result<void> adopt(net::Fd socket);
  const net::Address& address() const { return listener_->address(); }
  SharedListener& shared() { return shared_; }
  const std::shared_ptr<SharedListener>& kept() { return kept_; }
  // In the order of SharedListener::chains. What serves each chain must be put there before the door opens.
  std::vector<DoorChain>& chains() { return chains_; }
  // Listens. An error is the operator's.
  base::Result<void> open();
  // How soon clients are asked to go: all with their next answer, or over a time more and more of them.
  struct Pace {
    base::Duration over{};
  };
  // Asks every client to go: idle connections are closed after a moment.
  void drain();
  // Stops accepting. Connections are not touched.
  void stopAccepting() { listener_->close(); }
  // Asks clients to go with an answer; idle connections stay.
  void askToGo(Pace pace);
  // Takes that back, for connections that have not been asked yet.
  void welcome();
  // Another door has the socket now: this one does not accept any more.
  void abandonSocket() { listener_->abandon(); }
  void closeNow();
  // Those on their way to a chain, too.
  size_t connections() const {
    return approaches_.size() + handshakes_.size() + connections_.size() + tcp_connections_.size() +
           turned_away_.size();
  }

 private:
  // net::Listener::Acceptor
  void onAccepted(net::Fd socket, const net::Address& peer) override;
  void onAcceptFailed(const base::Error& why) override;
  // listener::Approach::Owner
  void onArrived(listener::Approach& approach) override;
  void onTurnedAway(listener::Approach& approach, listener::Approach::End why) override;
  // exchange::ClientConnection::Owner
  void onConnectionClosed(exchange::ClientConnection& connection) override;
  // tcp::Connection::Owner
  void onConnectionClosed(tcp::Connection& connection) override;

  // The stages.
  void approach(std::unique_ptr<net::ByteStream> stream, const net::Address& peer);
  filter::ConnectionInfo describe(const net::Address& local, const net::Address& peer) const;
  filter::ConnectionInfo describe(const listener::Findings& found) const;
  DoorChain* match(listener::Arrival known);
  void enter(DoorChain& chain, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info);
  void secure(DoorChain& chain, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info);
  void serveHttp(DoorChain& chain, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info);
  // serveHttp() or serveTcp().
  void serve(DoorChain& chain, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info);
  void serveTcp(DoorChain& chain, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info);
  void forget(listener::Approach& approach);
  // What counts it: when it has been accepted, or found its chain; and when that is over.
  void come();
  void gone();
  // Takes a place under each of the chain's limits, or tells the one that has none.
  ChainLimit* enterLimits(SharedFilterChain& chain);
  void leaveLimits(SharedFilterChain& chain, size_t count);
  void turnAway(const ChainLimit& limit, std::unique_ptr<net::ByteStream> stream, const filter::ConnectionInfo& info);
  struct TurnedAway;
  void release(TurnedAway& connection);

  template <typename Connection>
  struct Served {
    std::unique_ptr<Connection> connection;
    base::MonotonicTime since;
    SharedFilterChain* chain;
  };
  // One too many, which waits for its end.
  struct TurnedAway {
    TurnedAway(Door& door, std::unique_ptr<net::ByteStream> stream)
        : stream(std::move(stream)),
          since(door.loop_.now()),
          timer(door.loop_, [this, &door] { door.release(*this); }) {}
    std::unique_ptr<net::ByteStream> stream;
    base::MonotonicTime since;
    event::Timer timer;
  };
  template <typename Connection>
  using Table = std::unordered_map<Connection*, Served<Connection>>;
  template <typename Connection>
  void closed(Table<Connection>& table, Connection& connection);
  void countGone(base::MonotonicTime since);

  // The listener's log: a line for each connection when it has ended, however far it came.
  bool logs() const { return !place_.logs.empty(); }
  void writeLog(const filter::StreamInfo& info);
  filter::StreamInfo summary(const filter::ConnectionInfo& connection, base::MonotonicTime since) const;
  void logUnserved(const filter::ConnectionInfo& connection, base::MonotonicTime since);
  void logNoChain(const filter::ConnectionInfo& connection, base::MonotonicTime since);

  const std::shared_ptr<SharedListener> kept_;
  SharedListener& shared_;
  const Place place_;
  event::Loop& loop_;
  WorkerListenerStats stats_;
  std::unique_ptr<net::Listener> listener_;
  std::vector<DoorChain> chains_;
  Handshakes handshakes_;
  std::unordered_map<listener::Approach*, std::unique_ptr<listener::Approach>> approaches_;
  Table<exchange::ClientConnection> connections_;
  Table<tcp::Connection> tcp_connections_;
  std::unordered_map<TurnedAway*, std::unique_ptr<TurnedAway>> turned_away_;
};

}  // namespace weir::server
