#include "upstream/endpoint_pool.h"

#include <algorithm>

#include "base/check.h"
#include "http/path.h"
#include "upstream/announcement.h"

namespace weir::upstream {
namespace {

// RFC 6066 3: a server name is a host name, and neither an address nor has it a port.
std::string_view serverNameOf(std::string_view authority) {
  const std::string_view host = http::stripPort(authority);
  return host.starts_with('[') || net::Address::parseIp(host, 0).ok() ? std::string_view() : host;
}

}  // namespace

// Streams that a connection by HTTP/2 is expected to take before its peer's settings are known (RFC 9113 6.5.2 advises
// no less).
constexpr size_t kExpectedStreams = 100;

// A waiter's place in the queue. In it until it is told or gives up.
class EndpointPool::Place final : public Acquisition {
 public:
  Place(EndpointPool& pool, Lane& lane, ConnectionWaiter& waiter)
      : pool_(&pool), lane_(lane), waiter_(waiter), number_(pool.next_place_++) {
    lane_.waiting.push_back(this);
    at_ = std::prev(lane_.waiting.end());
    stats().upstream_rq_pending_total.add();
    stats().upstream_rq_pending_active.add();
    pool.shared_.breakers.pending.take();
  }
  ~Place() override {
    if (pool_ == nullptr) return;
    stats().upstream_rq_cancelled.add();
    EndpointPool& pool = *pool_;
    leave();
    pool.tellIfRetired();
  }
  // Out of the queue; the place may be destroyed while its waiter is told.
  ConnectionWaiter& leave() {
    stats().upstream_rq_pending_active.sub();
    pool_->shared_.breakers.pending.giveBack();
    lane_.waiting.erase(at_);
    pool_ = nullptr;
    return waiter_;
  }
  uint64_t number() const { return number_; }
  const Endpoint& endpoint() const override { return *pool_->endpoint_; }

 private:
  ClusterStats& stats() { return pool_->shared_.stats; }
  EndpointPool* pool_;  // Null: not in the queue.
  Lane& lane_;
  ConnectionWaiter& waiter_;
  uint64_t number_;
  std::list<Place*>::iterator at_;
};

EndpointPool::EndpointPool(Shared& shared, std::shared_ptr<const Endpoint> endpoint)
    : shared_(shared), endpoint_(std::move(endpoint)) {
  using Speaks = Connection::Speaks;
  const HttpProtocol protocol = shared_.spec.protocol;
  lanes_[0].speaks = protocol == HttpProtocol::Http2    ? Speaks::Http2
                     : protocol == HttpProtocol::ByAlpn ? Speaks::ByAlpn
                                                        : Speaks::Http1;
  lanes_[1].speaks = Speaks::Http2;
}

EndpointPool::~EndpointPool() {
  for (Lane& lane : lanes_) {
    while (!lane.waiting.empty()) lane.waiting.front()->leave();
  }
}

EndpointPool::Kind EndpointPool::kindOf(const Wish& wish) const {
  const ClusterSpec& spec = shared_.spec;
  Kind kind;
  if (spec.auto_sni && spec.tls.has_value()) kind.server_name = serverNameOf(wish.authority);
  kind.key = kind.server_name;
  if (spec.announcement && wish.client != nullptr) {
    kind.client = announcedClient(*spec.announcement, *wish.client);
    kind.key += '\n' + announcedKey(*spec.announcement, *kind.client);
  }
  return kind;
}

std::unique_ptr<Acquisition> EndpointPool::acquire(ConnectionWaiter& waiter, const Wish& wish) {
  if (!shared_.spec.auto_sni && !shared_.spec.announcement) return acquireHere(waiter, wish);
  Kind kind = kindOf(wish);
  if (kind.key.empty()) return acquireHere(waiter, wish);
  if (EndpointPool* const pool = poolFor(kind)) {
    auto place = pool->acquireHere(waiter, wish);
    pool->tellIfRetired();
    return place;
  }
  shared_.stats.upstream_rq_pending_overflow.add();
  waiter.onNoConnection(AcquireFailure::Overflow, endpoint_.get(), "");
  return nullptr;
}

// Null if there are too many, all of them in use.
EndpointPool* EndpointPool::poolFor(Kind& kind) {
  const auto found = named_.find(kind.key);
  if (found != named_.end()) return found->second.get();
  if (kind.client) {
    makeRoomForClient();
    clients_.push_back(kind.key);
  } else if (!makeRoomForServerName()) {
    return nullptr;
  }
  auto pool = std::make_unique<EndpointPool>(shared_, endpoint_);
  pool->parent_ = this;
  pool->key_ = kind.key;
  pool->server_name_ = kind.server_name;
  pool->client_ = std::move(kind.client);
  return named_.emplace(std::move(kind.key), std::move(pool)).first->second.get();
}

// Anybody can make names up: more of them than this have no connections at a time.
bool EndpointPool::makeRoomForServerName() {
  if (named_.size() < kMostServerNames) return true;
  const auto unused = std::find_if(named_.begin(), named_.end(), [](const auto& each) { return each.second->empty(); });
  if (unused == named_.end()) return false;
  shared_.loop.destroyLater(std::move(unused->second));
  named_.erase(unused);
  return true;
}

// A client that has gone leaves its connections behind. As many clients as have requests under way are served; of the
// others the oldest go. A few are looked at each time, which is enough: one comes, a few may go.
void EndpointPool::makeRoomForClient() {
  constexpr int kLooks = 8;
  for (int i = 0; i < kLooks && clients_.size() >= kMostClients; ++i) {
    const auto found = named_.find(clients_.front());
    if (found != named_.end() && !found->second->unused()) {
      clients_.push_back(std::move(clients_.front()));
    } else if (found != named_.end()) {
      found->second->drain();
    }
    clients_.pop_front();
  }
}

// Nobody waits, and no request is under way.
bool EndpointPool::unused() const {
  return !anyWaiting() && std::all_of(connections_.begin(), connections_.end(),
                                      [](const auto& connection) { return connection->idle(); });
}

// One that holds nothing leaves the table at once: who tells all of them something walks over a copy.
std::vector<EndpointPool*> EndpointPool::children() const {
  std::vector<EndpointPool*> all;
  for (const auto& [key, pool] : named_) all.push_back(pool.get());
  return all;
}

void EndpointPool::setEndpoint(std::shared_ptr<const Endpoint> endpoint) {
  endpoint_ = std::move(endpoint);
  for (const auto& [key, pool] : named_) pool->setEndpoint(endpoint_);
}

std::unique_ptr<Acquisition> EndpointPool::acquireHere(ConnectionWaiter& waiter, const Wish& wish) {
  const bool as_http2 = shared_.spec.protocol == HttpProtocol::AsDownstream && wish.downstream == http::Protocol::Http2;
  Lane& lane = lanes_[as_http2 ? 1 : 0];
  Connection* const ready = readyOf(lane);
  const bool queue_full = !shared_.breakers.pending.hasRoom();
  if (overflows() || (ready == nullptr && queue_full)) {
    shared_.stats.upstream_rq_pending_overflow.add();
    waiter.onNoConnection(AcquireFailure::Overflow, endpoint_.get(), "");
    return nullptr;
  }
  if (ready != nullptr) {
    give(*ready, waiter);
    return nullptr;
  }
  auto place = std::make_unique<Place>(*this, lane, waiter);
  openConnections(lane);
  return place;
}

// --- Connections that can carry a request ---

Connection* EndpointPool::readyOf(Lane& lane) {
  // A peer may have asked us to go, or have lowered its limit, since it was put here.
  while (!lane.ready.empty() && !lane.ready.back()->takesMore()) removeReady(*lane.ready.back());
  return lane.ready.empty() ? nullptr : lane.ready.back();
}

void EndpointPool::addReady(Connection& connection) {
  if (std::exchange(connection.ready, true)) return;
  laneOf(connection).ready.push_back(&connection);
}

void EndpointPool::removeReady(Connection& connection) {
  if (!std::exchange(connection.ready, false)) return;
  std::vector<Connection*>& ready = laneOf(connection).ready;
  ready.erase(std::find(ready.rbegin(), ready.rend(), &connection).base() - 1);
}

void EndpointPool::give(Connection& connection, ConnectionWaiter& waiter) {
  removeReady(connection);
  connection.grant(waiter);
  if (connection.takesMore()) addReady(connection);
}

size_t EndpointPool::expectedCapacity(const Lane& lane) const {
  const bool http2 = lane.speaks == Connection::Speaks::Http2 || lane.http2_seen;
  return http2 ? std::min<size_t>(shared_.spec.http2.max_concurrent_streams, kExpectedStreams) : 1;
}

bool EndpointPool::anyWaiting() const { return !lanes_[0].waiting.empty() || !lanes_[1].waiting.empty(); }

bool EndpointPool::overflows() const { return !shared_.breakers.requests.hasRoom(); }

void EndpointPool::openConnections(Lane& lane) {
  while (lane.waiting.size() > lane.connecting * expectedCapacity(lane)) {
    if (!connectionFits()) {
      shared_.stats.upstream_cx_overflow.add();
      if (!connections_.empty()) return;  // One of them will come free.
    }
    open(lane);
  }
}

bool EndpointPool::connectionFits() const {
  return shared_.breakers.connections.hasRoom() &&
         endpoint_->state->connections.load(std::memory_order_relaxed) < shared_.spec.max_connections_per_endpoint;
}

void EndpointPool::open(Lane& lane) {
  const bool http2 = lane.speaks == Connection::Speaks::Http2;
  const Connector::Purpose purpose{
      .server_name = server_name_, .only_http2 = http2, .client = client_ ? &*client_ : nullptr};
  auto stream = shared_.connector.connectTo(*endpoint_, purpose, shared_.spec.connect_timeout);
  Connection::Pool& pool = *this;
  connections_.push_back(std::make_unique<Connection>(pool, shared_.loop, shared_.random, shared_.spec, shared_.stats,
                                                      shared_.breakers, endpoint_, std::move(stream), lane.speaks));
  connections_.back()->position = connections_.size() - 1;
  connections_.back()->lane = static_cast<size_t>(&lane - lanes_.data());
  ++lane.connecting;
  connections_.back()->start();
}

void EndpointPool::onConnected(Connection& connection) {
  Lane& lane = laneOf(connection);
  --lane.connecting;
  lane.http2_seen = connection.speaksHttp2();
  addReady(connection);
  serveWaiting();
}

void EndpointPool::onConnectFailed(Connection& connection, AcquireFailure why, std::string_view detail) {
  Lane& lane = laneOf(connection);
  --lane.connecting;
  forget(connection);
  // All who wait fail, and not those who come while they are told.
  const uint64_t first_new = next_place_;
  const std::shared_ptr<const Endpoint> endpoint = endpoint_;
  while (!lane.waiting.empty() && lane.waiting.front()->number() < first_new) {
    shared_.stats.upstream_rq_pending_failure_eject.add();
    lane.waiting.front()->leave().onNoConnection(why, endpoint.get(), detail);
  }
  tellIfRetired();
}

void EndpointPool::onIdle(Connection& connection) {
  if (retired_ && !anyWaiting() && connection.idle()) return connection.closeIdle();
  addReady(connection);
}

void EndpointPool::onClosed(Connection& connection) {
  removeReady(connection);
  Lane& lane = laneOf(connection);
  forget(connection);
  openConnections(lane);
  tellIfRetired();
}

void EndpointPool::serveWaiting() {
  for (Lane& lane : lanes_) {
    while (!lane.waiting.empty()) {
      Connection* const ready = readyOf(lane);
      if (ready == nullptr) {
        // The ones there are may have less room than was expected.
        if (lane.connecting == 0 && expectedCapacity(lane) > 1) openConnections(lane);
        break;
      }
      ConnectionWaiter& waiter = lane.waiting.front()->leave();
      if (overflows()) {
        shared_.stats.upstream_rq_pending_overflow.add();
        waiter.onNoConnection(AcquireFailure::Overflow, endpoint_.get(), "");
        continue;
      }
      give(*ready, waiter);
    }
  }
  if (retired_) closeIdleOnes();
}

void EndpointPool::drain() {
  for (const auto& connection : connections_) connection->closeAfterRequest();
  closeIdleOnes();
  for (EndpointPool* child : children()) child->drain();
}

void EndpointPool::closeIdleOnes() {
  std::vector<Connection*> idle;
  for (const auto& connection : connections_) {
    if (connection->idle()) idle.push_back(connection.get());
  }
  for (Connection* connection : idle) connection->closeIdle();
}

void EndpointPool::retire() {
  retired_ = true;
  drain();
  for (EndpointPool* child : children()) child->retire();
  tellIfRetired();
}

void EndpointPool::forget(Connection& connection) {
  const size_t position = connection.position;
  std::unique_ptr<Connection> last = std::move(connections_[position]);
  if (position + 1 != connections_.size()) {
    connections_[position] = std::move(connections_.back());
    connections_[position]->position = position;
  }
  connections_.pop_back();
  shared_.loop.destroyLater(std::move(last));
}

void EndpointPool::tellIfRetired() {
  if (!(retired_ || client_) || retired_told_ || !empty()) return;
  retired_told_ = true;
  if (parent_ != nullptr) return parent_->onChildRetired(*this);
  shared_.on_retired(*this);
}

void EndpointPool::onChildRetired(EndpointPool& child) {
  const auto at = named_.find(child.key_);
  shared_.loop.destroyLater(std::move(at->second));
  named_.erase(at);
  tellIfRetired();
}

}  // namespace weir::upstream
