#include "upstream/endpoint_pool.h"

#include <algorithm>

#include "base/check.h"
#include "http/path.h"

namespace weir::upstream {
namespace {

// RFC 6066 3: a server name is a host name, and neither an address nor has it a port.
std::string_view serverNameOf(std::string_view authority) {
  const std::string_view host = http::stripPort(authority);
  return host.starts_with('[') || net::Address::parseIp(host, 0).ok() ? std::string_view() : host;
}

}  // namespace

// A waiter's place in the queue. In it until it is told or gives up.
class EndpointPool::Place final : public Acquisition {
 public:
  Place(EndpointPool& pool, ConnectionWaiter& waiter) : pool_(&pool), waiter_(waiter), number_(pool.next_place_++) {
    pool.waiting_.push_back(this);
    at_ = std::prev(pool.waiting_.end());
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
    pool_->waiting_.erase(at_);
    pool_ = nullptr;
    return waiter_;
  }
  uint64_t number() const { return number_; }

 private:
  ClusterStats& stats() { return pool_->shared_.stats; }
  EndpointPool* pool_;  // Null: not in the queue.
  ConnectionWaiter& waiter_;
  uint64_t number_;
  std::list<Place*>::iterator at_;
};

EndpointPool::EndpointPool(Shared& shared, std::shared_ptr<const Endpoint> endpoint)
    : shared_(shared), endpoint_(std::move(endpoint)) {}

EndpointPool::~EndpointPool() {
  while (!waiting_.empty()) waiting_.front()->leave();
}

std::unique_ptr<Acquisition> EndpointPool::acquire(ConnectionWaiter& waiter, const Wish& wish) {
  const bool by_name = shared_.spec.auto_sni && shared_.spec.tls.has_value();
  const std::string_view name = by_name ? serverNameOf(wish.authority) : std::string_view();
  if (name.empty()) return acquireHere(waiter);
  EndpointPool* const pool = poolFor(name);
  if (pool != nullptr) return pool->acquireHere(waiter);
  shared_.stats.upstream_rq_pending_overflow.add();
  waiter.onNoConnection(AcquireFailure::Overflow, endpoint_.get(), "");
  return nullptr;
}

// Null if there are too many, all of them in use.
EndpointPool* EndpointPool::poolFor(std::string_view server_name) {
  const auto found = named_.find(server_name);
  if (found != named_.end()) return found->second.get();
  if (named_.size() >= kMostServerNames) {
    const auto unused =
        std::find_if(named_.begin(), named_.end(), [](const auto& each) { return each.second->empty(); });
    if (unused == named_.end()) return nullptr;
    shared_.loop.destroyLater(std::move(unused->second));
    named_.erase(unused);
  }
  auto pool = std::make_unique<EndpointPool>(shared_, endpoint_);
  pool->parent_ = this;
  pool->server_name_ = server_name;
  return named_.emplace(pool->server_name_, std::move(pool)).first->second.get();
}

void EndpointPool::setEndpoint(std::shared_ptr<const Endpoint> endpoint) {
  endpoint_ = std::move(endpoint);
  for (const auto& [name, pool] : named_) pool->setEndpoint(endpoint_);
}

std::unique_ptr<Acquisition> EndpointPool::acquireHere(ConnectionWaiter& waiter) {
  const bool idle = !idle_.empty();
  const bool queue_full = !shared_.breakers.pending.hasRoom();
  if (overflows() || (!idle && queue_full)) {
    shared_.stats.upstream_rq_pending_overflow.add();
    waiter.onNoConnection(AcquireFailure::Overflow, endpoint_.get(), "");
    return nullptr;
  }
  if (idle) {
    Connection& connection = *idle_.back();
    idle_.pop_back();
    connection.grant(waiter);
    return nullptr;
  }
  auto place = std::make_unique<Place>(*this, waiter);
  openConnections();
  return place;
}

bool EndpointPool::overflows() const { return !shared_.breakers.requests.hasRoom(); }

void EndpointPool::openConnections() {
  while (waiting_.size() > connecting_) {
    if (!connectionFits()) {
      shared_.stats.upstream_cx_overflow.add();
      if (!connections_.empty()) return;  // One of them will come free.
    }
    open();
  }
}

bool EndpointPool::connectionFits() const {
  return shared_.breakers.connections.hasRoom() &&
         endpoint_->state->connections.load(std::memory_order_relaxed) < shared_.spec.max_connections_per_endpoint;
}

void EndpointPool::open() {
  auto stream = shared_.connector.connectTo(*endpoint_, server_name_, shared_.spec.connect_timeout);
  Connection::Pool& pool = *this;
  connections_.push_back(std::make_unique<Connection>(pool, shared_.loop, shared_.spec, shared_.stats, shared_.breakers,
                                                      endpoint_, std::move(stream)));
  connections_.back()->position = connections_.size() - 1;
  ++connecting_;
  connections_.back()->start();
}

void EndpointPool::onConnected(Connection& connection) {
  --connecting_;
  idle_.push_back(&connection);
  serveWaiting();
}

void EndpointPool::onConnectFailed(Connection& connection, AcquireFailure why, std::string_view detail) {
  --connecting_;
  forget(connection);
  // All who wait fail, and not those who come while they are told.
  const uint64_t first_new = next_place_;
  const std::shared_ptr<const Endpoint> endpoint = endpoint_;
  while (!waiting_.empty() && waiting_.front()->number() < first_new) {
    shared_.stats.upstream_rq_pending_failure_eject.add();
    waiting_.front()->leave().onNoConnection(why, endpoint.get(), detail);
  }
  tellIfRetired();
}

void EndpointPool::onIdle(Connection& connection) {
  if (retired_ && waiting_.empty()) return connection.closeIdle();
  idle_.push_back(&connection);
}

void EndpointPool::onClosed(Connection& connection) {
  const auto at = std::find(idle_.begin(), idle_.end(), &connection);
  if (at != idle_.end()) idle_.erase(at);
  forget(connection);
  openConnections();
  tellIfRetired();
}

void EndpointPool::serveWaiting() {
  while (!waiting_.empty() && !idle_.empty()) {
    ConnectionWaiter& waiter = waiting_.front()->leave();
    if (overflows()) {
      shared_.stats.upstream_rq_pending_overflow.add();
      waiter.onNoConnection(AcquireFailure::Overflow, endpoint_.get(), "");
      continue;
    }
    Connection& connection = *idle_.back();
    idle_.pop_back();
    connection.grant(waiter);
  }
  while (retired_ && !idle_.empty()) idle_.back()->closeIdle();
}

void EndpointPool::drain() {
  for (const auto& connection : connections_) connection->closeAfterRequest();
  while (!idle_.empty()) idle_.back()->closeIdle();
  for (const auto& [name, pool] : named_) pool->drain();
}

void EndpointPool::retire() {
  retired_ = true;
  drain();
  // One that holds nothing leaves the table at once: walk over a copy.
  std::vector<EndpointPool*> children;
  for (const auto& [name, pool] : named_) children.push_back(pool.get());
  for (EndpointPool* child : children) child->retire();
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
  if (!retired_ || retired_told_ || !empty()) return;
  retired_told_ = true;
  if (parent_ != nullptr) return parent_->onChildRetired(*this);
  shared_.on_retired(*this);
}

void EndpointPool::onChildRetired(EndpointPool& child) {
  const auto at = named_.find(child.server_name_);
  shared_.loop.destroyLater(std::move(at->second));
  named_.erase(at);
  tellIfRetired();
}

}  // namespace weir::upstream
