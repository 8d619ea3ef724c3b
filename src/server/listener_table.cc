#include "server/listener_table.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/log.h"
#include "server/listen_options.h"

namespace weir::server {
namespace {

net::Fd duplicate(const net::Fd& socket) { return net::Fd(fcntl(socket.get(), F_DUPFD_CLOEXEC, 0)); }

std::vector<net::Fd> duplicates(const std::vector<net::Fd>& sockets) {
  std::vector<net::Fd> copies;
  for (const net::Fd& socket : sockets) copies.push_back(duplicate(socket));
  return copies;
}

bool allOpen(const std::vector<net::Fd>& sockets) {
  return std::all_of(sockets.begin(), sockets.end(), [](const net::Fd& socket) { return socket.open(); });
}

}  // namespace

std::string handOverKey(const config::ListenerSpec& spec) {
  const std::string address = spec.address.toString();
  return spec.address.isIp() && spec.address.port() == 0 ? address + " " + spec.name : address;
}

ListenerTable::ListenerTable(const xds::Subscription::Environment& environment, Shared& shared, Crew& crew,
                             RouteSources& routes)
    : environment_(environment),
      shared_(shared),
      crew_(crew),
      route_sources_(routes),
      added_(environment.stats.counter("listener_manager.listener_added")),
      modified_(environment.stats.counter("listener_manager.listener_modified")),
      removed_(environment.stats.counter("listener_manager.listener_removed")),
      create_success_(environment.stats.counter("listener_manager.listener_create_success")),
      create_failure_(environment.stats.counter("listener_manager.listener_create_failure")),
      active_(environment.stats.gauge("listener_manager.total_listeners_active")),
      draining_count_(environment.stats.gauge("listener_manager.total_listeners_draining")),
      warming_count_(environment.stats.gauge("listener_manager.total_listeners_warming")) {
  warming_count_.set(0);
  draining_count_.set(0);
}

std::vector<base::Error> ListenerTable::addStatic(const std::vector<config::ListenerSpec>& specs,
                                                  const std::vector<std::string>& dumps, bool bind,
                                                  InheritedSockets* inherited) {
  std::vector<base::Error> faults;
  inherited_ = inherited;
  for (size_t i = 0; i < specs.size(); ++i) {
    std::vector<base::Error> own;
    Entry entry = build(specs[i], own);
    if (bind && own.empty()) takeSockets(entry, nullptr, own);
    faults.insert(faults.end(), own.begin(), own.end());
    const std::string name = specs[i].name.empty() ? fmt::format("(nameless {})", ++nameless_) : specs[i].name;
    entry.status = {specs[i].name, "", dumps[i], environment_.loop.wallNow(), false};
    if (faults.empty() && bind) put(name, std::move(entry));
  }
  inherited_ = nullptr;
  countAll();
  return faults;
}

void ListenerTable::follow(const base::FileSource& lds, InheritedSockets* inherited) {
  lds_ = std::make_unique<xds::Subscription>(environment_, config::ResourceKind::Listener, lds, "lds",
                                             "listener_manager.lds.",
                                             [this](config::Discovered& resources) { return take(resources); });
  inherited_ = inherited;
  lds_->start();
  inherited_ = nullptr;
}

void ListenerTable::stop() {
  lds_.reset();
  warming_.clear();
  for (auto& [name, entry] : entries_) entry.routes.clear();
}

// --- A response ---

std::vector<std::string> ListenerTable::take(config::Discovered& resources) {
  std::vector<std::string> gone;
  for (const Entries* entries : {&entries_, &warming_}) {
    for (const auto& [name, entry] : *entries) {
      if (entries == &warming_ && entries_.contains(name)) continue;
      const bool named = std::any_of(resources.listeners.begin(), resources.listeners.end(),
                                     [&name = name](const auto& resource) { return resource.name == name; });
      if (entry.status.dynamic && !named) gone.push_back(name);
    }
  }
  Entries built;
  std::vector<base::Error> faults;
  for (auto& resource : resources.listeners) {
    const Entry* before = newest(resource.name);
    if (before != nullptr && !before->status.dynamic) {
      LOG(Upstream, Info, "lds: listener '{}' is the bootstrap's and stays as it is", resource.name);
      continue;
    }
    if (before != nullptr && before->bytes == resource.bytes) continue;
    Entry entry = build(resource.spec, faults);
    entry.bytes = resource.bytes;
    entry.status = {resource.name, resources.version, resource.dump, environment_.loop.wallNow(), true};
    checkAddress(resource.name, entry, built, gone, faults);
    if (faults.empty()) takeSockets(entry, before, faults);
    built.emplace(resource.name, std::move(entry));
  }
  if (!faults.empty()) {
    create_failure_.add();
    std::vector<std::string> reasons;
    for (const base::Error& fault : faults) reasons.push_back(fault.detail);
    return reasons;
  }
  // New ones first: an address that moves from one listener to another is never without a socket.
  for (auto& [name, entry] : built) {
    LOG(Upstream, Info, "lds: add/update listener '{}'", name);
    put(name, std::move(entry));
  }
  for (const std::string& name : gone) {
    LOG(Upstream, Info, "lds: remove listener '{}'", name);
    remove(name);
  }
  countAll();
  return {};
}

const ListenerTable::Entry* ListenerTable::newest(const std::string& name) const {
  if (const auto at = warming_.find(name); at != warming_.end()) return &at->second;
  const auto at = entries_.find(name);
  return at == entries_.end() ? nullptr : &at->second;
}

ListenerTable::Entry ListenerTable::build(const config::ListenerSpec& spec, std::vector<base::Error>& faults) {
  Entry entry;
  entry.listener = makeListener(spec, shared_, faults);
  for (const auto& chain : entry.listener->chains) {
    if (chain->http == nullptr || !chain->http->spec->rds) continue;
    auto source = route_sources_.find(*chain->http->spec->rds, chain->http->spec->stat_prefix);
    chain->http->routes = source->routes();
    chain->http->route_source = source->id();
    entry.routes.push_back(std::move(source));
  }
  if (shared_.plugins != nullptr) entry.late = shared_.plugins->takeLate();
  return entry;
}

// Those of the listener that it replaces, of the process that it replaces, or new ones.
void ListenerTable::takeSockets(Entry& entry, const Entry* before, std::vector<base::Error>& faults) {
  SharedListener& listener = *entry.listener;
  const bool has = before != nullptr && before->sockets.size() == crew_.size();  // Not so after releaseSockets().
  if (has && before->listener->spec.address == listener.spec.address) {
    listener.address = before->listener->address;
    entry.sockets = duplicates(before->sockets);
    if (allOpen(entry.sockets)) return;
    faults.push_back({base::Code::Io, base::Side::Self, base::Retry::Yes,
                      "listener '" + listener.spec.name + "': out of file descriptors"});
    return;
  }
  if (inherited_ != nullptr) entry.sockets = inherited_->take(handOverKey(listener.spec), crew_.size());
  if (!entry.sockets.empty()) listener.address = net::Listener::addressOf(entry.sockets.front());
  while (entry.sockets.size() < crew_.size()) {
    auto socket = net::Listener::bindSocket(listener.address, listenOptions(listener.spec));
    if (!socket.ok()) {
      faults.push_back(std::move(socket).error().in("listener '" + listener.spec.name + "'"));
      return;
    }
    entry.sockets.push_back(*std::move(socket));
    // The first settles a port that was given as 0.
    listener.address = net::Listener::addressOf(entry.sockets.front());
  }
}

// Two listeners with one address would share its connections by chance.
void ListenerTable::checkAddress(const std::string& name, const Entry& entry, const Entries& built,
                                 const std::vector<std::string>& gone, std::vector<base::Error>& faults) const {
  const net::Address& address = entry.listener->spec.address;
  if (address.isIp() && address.port() == 0) return;
  const auto conflicts = [&](const auto& other) {
    return other.first != name && other.second.listener->spec.address == address;
  };
  const auto stays = [&](const auto& other) {
    return std::find(gone.begin(), gone.end(), other.first) == gone.end() && !built.contains(other.first);
  };
  for (const auto* entries : {&built, &entries_, &warming_}) {
    for (const auto& other : *entries) {
      if (!conflicts(other) || (entries != &built && !stays(other))) continue;
      faults.push_back({base::Code::InvalidArgument, base::Side::Operator, base::Retry::No,
                        fmt::format("error adding listener: '{}' has duplicate address '{}' as existing listener", name,
                                    address.toString())});
      return;
    }
  }
}

// As Envoy: a listener does not serve before its plugins have their code, or it is known that they will not have it.
void ListenerTable::put(const std::string& name, Entry entry) {
  std::erase_if(entry.late, [](const auto& late) { return late->settled(); });
  if (!entry.late.empty()) {
    LOG(Upstream, Info, "listener '{}' waits for the code of {} plugin(s)", name, entry.late.size());
    for (const auto& late : entry.late) {
      late->whenSettled([this, name] { settle(name); });
    }
    warming_[name] = std::move(entry);
    return;
  }
  warming_.erase(name);
  const auto known = entries_.find(name);
  if (known != entries_.end()) {
    drain(known->second);
    modified_.add();
  } else {
    order_.push_back(name);
    added_.add();
  }
  create_success_.add(crew_.size());
  entry.listener->key = name;
  if (accepting_) listen(entry);
  crew_.putListener(entry.listener, duplicates(entry.sockets));
  entries_[name] = std::move(entry);
}

// Before anybody is told of it: whoever reads that it is in force must not be refused.
void ListenerTable::listen(const Entry& entry) const {
  for (const net::Fd& socket : entry.sockets) {
    auto listening = net::Listener::listen(socket, listenOptions(entry.listener->spec));
    if (!listening.ok()) LOG(Main, Critical, "{}", listening.error().detail);
  }
}

void ListenerTable::settle(const std::string& name) {
  const auto at = warming_.find(name);
  if (at == warming_.end()) return;
  const auto& late = at->second.late;
  if (!std::all_of(late.begin(), late.end(), [](const auto& each) { return each->settled(); })) return;
  put(name, Entry(std::move(at->second)));
  countAll();
  if (warming_.empty() && when_warm_) when_warm_();
}

void ListenerTable::remove(const std::string& name) {
  warming_.erase(name);
  const auto at = entries_.find(name);
  if (at == entries_.end()) return;
  drain(at->second);
  entries_.erase(at);  // Our sockets first: the workers' must be the last.
  order_.erase(std::find(order_.begin(), order_.end(), name));
  removed_.add();
  crew_.removeListener(name);
}

void ListenerTable::drain(Entry& entry) {
  draining_.emplace(std::move(entry.listener), Draining{entry.status, crew_.size()});
}

void ListenerTable::onListenerGone(const std::shared_ptr<SharedListener>& listener) {
  const auto at = draining_.find(listener);
  if (at != draining_.end() && --at->second.workers == 0) draining_.erase(at);
  countAll();
}

void ListenerTable::releaseSockets(bool inbound_only) {
  for (auto& [name, entry] : entries_) {
    if (!inbound_only || entry.listener->spec.direction == kInbound) entry.sockets.clear();
  }
}

void ListenerTable::reopen() {
  for (auto& [name, entry] : entries_) {
    std::vector<base::Error> faults;
    takeSockets(entry, nullptr, faults);
    for (const base::Error& fault : faults) LOG(Main, Critical, "{}", fault.detail);
    if (faults.empty()) crew_.putListener(entry.listener, duplicates(entry.sockets));
  }
}

void ListenerTable::countAll() {
  active_.set(static_cast<int64_t>(entries_.size()));
  draining_count_.set(static_cast<int64_t>(draining_.size()));
  warming_count_.set(static_cast<int64_t>(warming_.size()));
}

// --- For the admin pages and for hot restart ---

std::vector<ListenerStatus> ListenerTable::statuses() const {
  std::vector<ListenerStatus> out;
  for (const std::string& name : order_) {
    const SharedListener& listener = *entries_.find(name)->second.listener;
    out.push_back({listener.spec.name, listener.address});
  }
  return out;
}

std::vector<ListenerTable::Sockets> ListenerTable::sockets() const {
  std::vector<Sockets> out;
  for (const auto& [name, entry] : entries_) {
    Sockets sockets{handOverKey(entry.listener->spec), {}};
    for (const net::Fd& socket : entry.sockets) sockets.descriptors.push_back(socket.get());
    out.push_back(std::move(sockets));
  }
  return out;
}

void ListenerTable::describe(DiscoveryStatus& status) const {
  if (lds_ != nullptr) {
    status.listeners_version = lds_->version();
    if (!lds_->error().empty()) {
      status.listeners_error = ResourceError{lds_->errorVersion(), lds_->error(), lds_->lastAttempt()};
    }
  }
  for (const std::string& name : order_) status.listeners.push_back(entries_.find(name)->second.status);
  for (const auto& [listener, draining] : draining_) {
    status.listeners.push_back(draining.status);
    status.listeners.back().draining = true;
  }
}

}  // namespace weir::server
