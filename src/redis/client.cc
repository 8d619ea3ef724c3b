#include "redis/client.h"

#include <algorithm>

namespace weir::redis {
namespace {

// Plugins' commands are nobody's but ours.
const filter::ConnectionInfo& ourselves() {
  static const filter::ConnectionInfo kOurselves;
  return kOurselves;
}

}  // namespace

// Those that are idle leave the list at once.
void Client::configure(Options options) {
  options_ = std::move(options);
  std::vector<Connection*> there;
  for (const auto& connection : connections_) there.push_back(connection.get());
  for (Connection* const connection : there) connection->retire();
}

bool Client::send(upstream::Cluster& cluster, std::string_view command, uint32_t token) {
  const std::shared_ptr<const upstream::Endpoint> endpoint = cluster.choose({});
  if (endpoint == nullptr) return false;
  Connection* connection = find(cluster, endpoint->address);
  if (connection == nullptr)
    connection = connections_.size() < kMaxConnections ? open(cluster, *endpoint) : any(cluster);
  return connection != nullptr && connection->send(command, token);
}

Connection* Client::find(const upstream::Cluster& cluster, const net::Address& address) const {
  for (const auto& connection : connections_) {
    if (connection->open() && connection->isWith(cluster, address)) return connection.get();
  }
  return nullptr;
}

Connection* Client::any(const upstream::Cluster& cluster) const {
  for (const auto& connection : connections_) {
    if (connection->open() && connection->isWith(cluster)) return connection.get();
  }
  return nullptr;
}

Connection* Client::open(upstream::Cluster& cluster, const upstream::Endpoint& endpoint) {
  const std::string address = endpoint.address.toString();
  upstream::Wish wish;
  wish.override_host = address;
  upstream::StreamOffer offer = cluster.openStream(wish, ourselves());
  if (offer.stream == nullptr) return nullptr;
  connections_.push_back(std::make_unique<Connection>(static_cast<Connection::Owner&>(*this), receiver_, loop_, cluster,
                                                      std::move(offer), options_));
  Connection& made = *connections_.back();
  made.start();
  return made.open() ? &made : nullptr;
}

void Client::onConnectionOver(Connection& connection) {
  const auto at = std::find_if(connections_.begin(), connections_.end(),
                               [&](const auto& each) { return each.get() == &connection; });
  loop_.destroyLater(std::move(*at));
  connections_.erase(at);
}

// They may stand up the stack.
void Client::cancelAll() {
  auto connections = std::exchange(connections_, {});
  for (auto& connection : connections) {
    connection->close();
    loop_.destroyLater(std::move(connection));
  }
}

}  // namespace weir::redis
