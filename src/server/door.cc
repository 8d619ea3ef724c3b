#include "server/door.h"

#include "base/log.h"
#include "net/connection_id.h"
#include "net/socket_stream.h"
#include "server/listen_options.h"
#include "tcp/filtered_stream.h"

namespace weir::server {
namespace {

// A closed stream that is still on the stack.
struct Refused final : event::Deferred {
  explicit Refused(std::unique_ptr<net::ByteStream> stream) : stream(std::move(stream)) {}
  const std::unique_ptr<net::ByteStream> stream;
};

}  // namespace

Door::Door(std::shared_ptr<SharedListener> shared, Place place)
    : kept_(std::move(shared)),
      shared_(*kept_),
      place_(std::move(place)),
      loop_(place_.loop),
      stats_(place_.stats, *shared_.stats, place_.worker),
      handshakes_(loop_) {
  for (const auto& chain : shared_.chains) chains_.push_back({*chain, nullptr, nullptr});
}

Door::~Door() = default;

base::Result<void> Door::adopt(net::Fd socket) {
  auto listener = net::Listener::adopt(loop_, std::move(socket), listenOptions(shared_.spec), *this);
  if (!listener.ok()) return std::move(listener).error().in("listener '" + shared_.spec.name + "'");
  listener_ = std::move(*listener);
  return base::Ok{};
}

base::Result<void> Door::open() {
  for (DoorChain& chain : chains_) {
    if (logs() && chain.http == nullptr) chain.tcp->log = [this](const filter::StreamInfo& info) { writeLog(info); };
  }
  return listener_->start();
}

// --- Accepted socket ---

void Door::onAccepted(net::Fd socket, const net::Address& peer) {
  if (!shared_.spec.beyond_global_limit && place_.limit.reached()) {
    return shared_.stats->downstream_global_cx_overflow.add();
  }
  if (shared_.connections.reached()) return shared_.stats->downstream_cx_overflow.add();
  auto stream = net::SocketStream::accepted(loop_, std::move(socket), peer);
  if (!shared_.filters.empty()) return approach(std::move(stream), peer);
  filter::ConnectionInfo info = describe(stream->local(), peer);
  DoorChain* chain = match({info.local, info.peer, info.direct_peer, "", "", {}});
  if (chain == nullptr) return logNoChain(info, loop_.now());
  enter(*chain, std::move(stream), std::move(info));
}

void Door::onAcceptFailed(const base::Error& why) {
  shared_.stats->downstream_cx_overflow.add();
  LOG(Connection, Warning, "listener '{}' cannot accept for the moment: {}", shared_.spec.name, why.detail);
}

filter::ConnectionInfo Door::describe(const net::Address& local, const net::Address& peer) const {
  filter::ConnectionInfo info;
  info.id = net::nextConnectionId();
  info.local = local;
  info.peer = peer;
  info.direct_peer = peer;
  info.direct_local = local;
  info.listener_metadata = shared_.spec.metadata;
  info.listener_direction = shared_.spec.direction;
  return info;
}

filter::ConnectionInfo Door::describe(const listener::Findings& found) const {
  filter::ConnectionInfo info = describe(found.local, found.remote);
  info.direct_peer = found.direct_remote;
  info.direct_local = found.direct_local;
  info.requested_server_name = found.server_name;
  info.proxy = found.proxy;
  info.dynamic_metadata = found.metadata;
  info.typed_dynamic_metadata = found.typed_metadata;
  return info;
}

// --- Listener filters ---

void Door::approach(std::unique_ptr<net::ByteStream> stream, const net::Address& peer) {
  shared_.stats->downstream_pre_cx_active.add();
  come();
  listener::Findings findings;
  findings.local = stream->local();
  findings.remote = peer;
  findings.direct_remote = peer;
  findings.direct_local = findings.local;
  auto coming = std::make_unique<listener::Approach>(
      loop_, static_cast<listener::Approach::Owner&>(*this), std::move(stream), std::move(findings),
      shared_.filters.make(),
      listener::Approach::Limits{shared_.spec.listener_filters_timeout,
                                 shared_.spec.continue_on_listener_filters_timeout});
  listener::Approach& started = *coming;
  approaches_.emplace(&started, std::move(coming));
  started.start();
}

void Door::onArrived(listener::Approach& approach) {
  listener::Findings& found = approach.findings();
  std::unique_ptr<net::ByteStream> stream = approach.takeStream();
  filter::ConnectionInfo info = describe(found);
  DoorChain* chain = match({found.local, found.remote, found.direct_remote, found.server_name, found.transport_protocol,
                            found.application_protocols});
  if (approach.timedOut()) shared_.stats->downstream_pre_cx_timeout.add();
  if (chain != nullptr) {
    enter(*chain, std::move(stream), std::move(info));
  } else {
    approach.refuse(*stream);
    logNoChain(info, approach.began());
    loop_.destroyLater(std::make_unique<Refused>(std::move(stream)));
  }
  forget(approach);
}

void Door::onTurnedAway(listener::Approach& approach, listener::Approach::End why) {
  using End = listener::Approach::End;
  if (why == End::Timeout) shared_.stats->downstream_pre_cx_timeout.add();
  if (why == End::ClientWent) shared_.stats->downstream_listener_filter_remote_close.add();
  if (logs()) logUnserved(describe(approach.findings()), approach.began());
  forget(approach);
}

void Door::forget(listener::Approach& approach) {
  const auto at = approaches_.find(&approach);
  if (at == approaches_.end()) return;
  loop_.destroyLater(std::move(at->second));
  approaches_.erase(at);
  shared_.stats->downstream_pre_cx_active.sub();
  gone();
}

void Door::come() {
  shared_.connections.open.fetch_add(1, std::memory_order_relaxed);
  if (!shared_.spec.beyond_global_limit) place_.limit.open.fetch_add(1, std::memory_order_relaxed);
  place_.on_come();
}

void Door::gone() {
  shared_.connections.leave();
  if (!shared_.spec.beyond_global_limit) place_.limit.leave();
  place_.on_gone();
}

// --- Filter chain match ---

// Null: no chain fits, the connection is to be closed.
DoorChain* Door::match(listener::Arrival known) {
  if (!shared_.matcher) return &chains_.front();
  if (known.transport_protocol.empty()) known.transport_protocol = "raw_buffer";
  if (const auto index = shared_.matcher->match(known)) return &chains_[*index];
  if (shared_.has_default) return &chains_.back();
  shared_.stats->no_filter_chain_match.add();
  LOG(Connection, Debug, "listener '{}': no filter chain for a connection from {}", shared_.spec.name,
      known.remote.toString());
  return nullptr;
}

// --- Transport socket ---

// The chain's TLS stands around the stream from here on.
void Door::enter(DoorChain& chain, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info) {
  shared_.stats->downstream_cx_total.add();
  shared_.stats->downstream_cx_active.add();
  stats_.downstream_cx_total.add();
  stats_.downstream_cx_active.add();
  come();
  info.filter_chain_name = chain.shared.name;
  if (chain.shared.tls != nullptr) return secure(chain, std::move(stream), std::move(info));
  serve(chain, std::move(stream), std::move(info));
}

void Door::secure(DoorChain& chain, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info) {
  using End = Handshakes::End;
  const auto on_end = [this, &chain, since = loop_.now()](End end, std::unique_ptr<net::ByteStream> secured,
                                                          filter::ConnectionInfo known) {
    if (end == End::Done) return serve(chain, std::move(secured), std::move(known));
    if (end == End::Timeout) shared_.stats->downstream_cx_transport_socket_connect_timeout.add();
    logUnserved(known, since);
    countGone(since);
  };
  handshakes_.begin(*chain.shared.tls, chain.shared.handshake_timeout, std::move(stream), std::move(info), on_end);
}

// --- Network filters ---

void Door::serve(DoorChain& chain, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info) {
  if (const ChainLimit* const full = enterLimits(chain.shared)) return turnAway(*full, std::move(stream), info);
  if (chain.http != nullptr) return serveHttp(chain, std::move(stream), std::move(info));
  serveTcp(chain, std::move(stream), std::move(info));
}

void Door::serveHttp(DoorChain& chain, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info) {
  if (chain.tcp != nullptr) {
    stream = std::make_unique<tcp::FilteredStream>(*chain.tcp, std::move(stream), info);
  }
  auto connection = std::make_unique<exchange::ClientConnection>(
      *chain.http, static_cast<exchange::ClientConnection::Owner&>(*this), std::move(stream), std::move(info));
  exchange::ClientConnection& started = *connection;
  connections_.emplace(&started, Served<exchange::ClientConnection>{std::move(connection), loop_.now(), &chain.shared});
  started.start();
}

void Door::serveTcp(DoorChain& chain, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info) {
  auto connection = std::make_unique<tcp::Connection>(*chain.tcp, static_cast<tcp::Connection::Owner&>(*this),
                                                      std::move(stream), std::move(info));
  tcp::Connection& started = *connection;
  tcp_connections_.emplace(&started, Served<tcp::Connection>{std::move(connection), loop_.now(), &chain.shared});
  started.start();
}

// --- Connection limits of the chain ---

ChainLimit* Door::enterLimits(SharedFilterChain& chain) {
  for (size_t i = 0; i < chain.limits.size(); ++i) {
    ChainLimit& limit = *chain.limits[i];
    if (limit.limit.enter()) {
      limit.active_connections.add();
      continue;
    }
    limit.limited_connections.add();
    leaveLimits(chain, i);
    return &limit;
  }
  return nullptr;
}

void Door::leaveLimits(SharedFilterChain& chain, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    chain.limits[i]->limit.leave();
    chain.limits[i]->active_connections.sub();
  }
}

void Door::turnAway(const ChainLimit& limit, std::unique_ptr<net::ByteStream> stream,
                    const filter::ConnectionInfo& info) {
  logUnserved(info, loop_.now());
  auto away = std::make_unique<TurnedAway>(*this, std::move(stream));
  TurnedAway& kept = *away;
  turned_away_.emplace(&kept, std::move(away));
  if (limit.delay <= base::Duration::zero()) return release(kept);
  kept.timer.arm(limit.delay);
}

void Door::release(TurnedAway& connection) {
  const base::MonotonicTime since = connection.since;
  loop_.destroyLater(std::make_unique<Refused>(std::move(connection.stream)));
  turned_away_.erase(&connection);
  countGone(since);
}

// --- The end ---

void Door::onConnectionClosed(exchange::ClientConnection& connection) {
  if (logs()) writeLog(connection.summary());
  closed(connections_, connection);
}

void Door::onConnectionClosed(tcp::Connection& connection) { closed(tcp_connections_, connection); }

template <typename Connection>
void Door::closed(Table<Connection>& table, Connection& connection) {
  const auto at = table.find(&connection);
  if (at == table.end()) return;
  const base::MonotonicTime since = at->second.since;
  leaveLimits(*at->second.chain, at->second.chain->limits.size());
  loop_.destroyLater(std::move(at->second.connection));
  table.erase(at);
  countGone(since);
}

void Door::countGone(base::MonotonicTime since) {
  shared_.stats->downstream_cx_active.sub();
  shared_.stats->downstream_cx_destroy.add();
  stats_.downstream_cx_active.sub();
  shared_.stats->downstream_cx_length_ms.record(base::milliseconds(loop_.now() - since));
  gone();
}

// --- The listener's log ---

void Door::writeLog(const filter::StreamInfo& info) {
  place_.logs.write({.info = info,
                     .now = loop_.wallNow(),
                     .since_start = loop_.now() - info.start_monotonic,
                     .random = &place_.random},
                    place_.random);
}

filter::StreamInfo Door::summary(const filter::ConnectionInfo& connection, base::MonotonicTime since) const {
  filter::StreamInfo info;
  info.connection = &connection;
  info.client = connection.peer;
  info.is_http = false;
  info.dynamic_metadata = connection.dynamic_metadata;
  info.typed_dynamic_metadata = connection.typed_dynamic_metadata;
  info.finished = loop_.now() - since;
  info.start = loop_.wallNow() - *info.finished;
  info.start_monotonic = since;
  return info;
}

void Door::logUnserved(const filter::ConnectionInfo& connection, base::MonotonicTime since) {
  if (logs()) writeLog(summary(connection, since));
}

void Door::logNoChain(const filter::ConnectionInfo& connection, base::MonotonicTime since) {
  if (!logs()) return;
  filter::StreamInfo info = summary(connection, since);
  info.setFlag(filter::ResponseFlag::NoRouteFound);
  info.response_code_details = "filter_chain_not_found";
  writeLog(info);
}

namespace {

// A connection that closes leaves its table at once: walk over a copy.
template <typename Table, typename Visit>
void forEachIn(const Table& table, Visit visit) {
  std::vector<typename Table::key_type> all;
  all.reserve(table.size());
  for (const auto& [connection, owned] : table) all.push_back(connection);
  for (const auto connection : all) visit(*connection);
}

}  // namespace

void Door::askToGo(Pace pace) {
  for (DoorChain& chain : chains_) {
    if (chain.http == nullptr || chain.http->draining) continue;
    chain.http->draining = true;
    chain.http->drain_began = loop_.now();
    chain.http->drain_over = pace.over;
  }
  if (pace.over > base::Duration::zero()) return;
  forEachIn(connections_, [](exchange::ClientConnection& connection) { connection.askToGo(); });
}

void Door::welcome() {
  for (DoorChain& chain : chains_) {
    if (chain.http != nullptr) chain.http->draining = false;
  }
}

// TCP connections go on: nobody can be asked to go.
void Door::drain() {
  listener_->close();
  for (DoorChain& chain : chains_) {
    if (chain.http == nullptr) continue;
    chain.http->draining = true;
    chain.http->drain_over = {};
  }
  forEachIn(connections_, [](exchange::ClientConnection& connection) { connection.drain(); });
}

void Door::closeNow() {
  listener_->close();
  handshakes_.closeAll();
  forEachIn(approaches_, [](listener::Approach& approach) { approach.closeNow(); });
  forEachIn(connections_, [](exchange::ClientConnection& connection) { connection.closeNow(); });
  forEachIn(tcp_connections_, [](tcp::Connection& connection) { connection.closeNow(); });
  forEachIn(turned_away_, [this](TurnedAway& connection) { release(connection); });
}

}  // namespace weir::server
