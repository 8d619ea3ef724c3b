// One plugin's use of one cluster of Redis servers, on one worker: a connection to each endpoint that the balancer has
// chosen so far, shared by all commands that go there.
//
// As in Higress each command goes to an endpoint of the balancer's choice: for replicas, or one server; a Redis
// Cluster's redirections are answers like any other. Belongs to the loop's thread.
#pragma once

#include <memory>
#include <vector>

#include "redis/connection.h"

namespace weir::redis {

class Client final : private Connection::Owner {
 public:
  // Endpoints with a connection; where there are more, commands to the others go to one of these.
  static constexpr size_t kMaxConnections = 64;

  Client(event::Loop& loop, Receiver& receiver) : loop_(loop), receiver_(receiver) {}
  ~Client() { cancelAll(); }

  // For connections to come. Those that are there serve to the end of what is under way on them.
  void configure(Options options);
  // False, and nothing will be told: there is no endpoint that can serve, or no room for a connection or the bytes.
  bool send(upstream::Cluster& cluster, std::string_view command, uint32_t token);
  // Nothing more is told.
  void cancelAll();
  size_t connections() const { return connections_.size(); }

 private:
  void onConnectionOver(Connection& connection) override;
  Connection* find(const upstream::Cluster& cluster, const net::Address& address) const;
  // For when there are as many as there may be.
  Connection* any(const upstream::Cluster& cluster) const;
  Connection* open(upstream::Cluster& cluster, const upstream::Endpoint& endpoint);

  event::Loop& loop_;
  Receiver& receiver_;
  Options options_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace weir::redis
