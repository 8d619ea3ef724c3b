// The connections with one endpoint, and who waits for one. As Envoy's pools: the connection used last is used next, a
// connection is opened for each waiter that has none coming, and one that cannot be made fails all who wait here. A
// connection by HTTP/2 serves as many waiters at a time as its peer takes; further ones open another.
//
// Where the client's protocol decides (AsDownstream) there are two lanes, one a protocol, which share nothing but the
// limits. Otherwise there is one.
//
// Limits are the cluster's circuit breakers. Above max_connections waiters wait for a connection of this endpoint to
// come free, but every endpoint may have one.
#pragma once

#include <array>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "upstream/cluster.h"
#include "upstream/connection.h"

namespace weir::upstream {

class EndpointPool final : public event::Deferred, private Connection::Pool {
 public:
  // What all pools of a cluster share. on_retired: the pool was retired and holds nothing any more; told once, and the
  // pool is to be destroyed at the end of the turn.
  struct Shared {
    event::Loop& loop;
    base::Random& random;
    Connector& connector;
    const ClusterSpec& spec;
    ClusterStats& stats;
    Breakers& breakers;  // Of the routing priority whose requests come here.
    std::function<void(EndpointPool&)> on_retired;
  };

  // With auto_sni each server name has a pool of its own within the endpoint's; so many at most.
  static constexpr size_t kMostServerNames = 64;
  // Where endpoints are told who the client is, each client has. Above so many, those that nobody uses are given up.
  static constexpr size_t kMostClients = 1024;

  EndpointPool(Shared& shared, std::shared_ptr<const Endpoint> endpoint);
  ~EndpointPool() override;

  const Endpoint& endpoint() const { return *endpoint_; }
  // For connections made from now on; those that are open stay.
  void setEndpoint(std::shared_ptr<const Endpoint> endpoint);
  // As Cluster::acquire().
  std::unique_ptr<Acquisition> acquire(ConnectionWaiter& waiter, const Wish& wish);
  // Closes idle connections; busy ones when their request is over. Later connections are not touched.
  void drain();
  // As drain(), for good: nobody will ask any more. Who waits is still served.
  void retire();

 private:
  class Place;
  friend class Place;

  // Connection::Pool
  void onConnected(Connection& connection) override;
  void onConnectFailed(Connection& connection, AcquireFailure why, std::string_view detail) override;
  void onIdle(Connection& connection) override;
  void onReceived() override { serveWaiting(); }
  void onClosed(Connection& connection) override;

  struct Lane {
    Connection::Speaks speaks = Connection::Speaks::Http1;
    std::vector<Connection*> ready;  // Can carry a request; the one used last is at the end.
    std::list<Place*> waiting;
    size_t connecting = 0;
    bool http2_seen = false;  // By ALPN: the last connection spoke HTTP/2.
  };

  Lane& laneOf(const Connection& connection) { return lanes_[connection.lane]; }
  Connection* readyOf(Lane& lane);
  void addReady(Connection& connection);
  void removeReady(Connection& connection);
  void give(Connection& connection, ConnectionWaiter& waiter);
  size_t expectedCapacity(const Lane& lane) const;
  bool anyWaiting() const;
  void closeIdleOnes();

  // Some requests share connections only with their likes: each kind has a pool within this one.
  struct Kind {
    std::string key;  // Empty: it may take any connection.
    std::string_view server_name;
    std::optional<net::ProxyHeader> client;
  };
  Kind kindOf(const Wish& wish) const;
  std::unique_ptr<Acquisition> acquireHere(ConnectionWaiter& waiter, const Wish& wish);
  EndpointPool* poolFor(Kind& kind);
  bool makeRoomForServerName();
  void makeRoomForClient();
  void onChildRetired(EndpointPool& child);
  bool empty() const { return connections_.empty() && !anyWaiting() && named_.empty(); }
  bool unused() const;
  std::vector<EndpointPool*> children() const;

  void serveWaiting();
  void openConnections(Lane& lane);
  void open(Lane& lane);
  bool overflows() const;
  bool connectionFits() const;
  void forget(Connection& connection);
  void tellIfRetired();

  Shared& shared_;
  std::shared_ptr<const Endpoint> endpoint_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::array<Lane, 2> lanes_;
  EndpointPool* parent_ = nullptr;
  std::string key_;
  std::string server_name_;
  std::optional<net::ProxyHeader> client_;  // Whose connections these are; they go as soon as there are none.
  std::unordered_map<std::string, std::unique_ptr<EndpointPool>> named_;  // By key.
  std::deque<std::string> clients_;  // Keys of named_, and of some that have gone; the oldest first.
  uint64_t next_place_ = 0;
  bool retired_ = false;
  bool retired_told_ = false;
};

}  // namespace weir::upstream
