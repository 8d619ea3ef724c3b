// The listeners there are: those of the bootstrap, and those that LDS files tell of. Main thread.
//
// A response is built aside (plugins compiled and tried, routes compiled, sockets bound) and then taken as a whole or
// not at all. A listener whose address stays keeps its sockets: the new one accepts where the old one left off, and the
// old one's connections are asked to go, so that nothing is refused and nothing cut. A listener of the bootstrap stays
// as it is, whatever LDS says (as Envoy).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server/admin_source.h"
#include "server/assembly.h"
#include "server/crew.h"
#include "server/route_sources.h"
#include "xds/subscription.h"

namespace weir::server {

// Sockets that another process left us (hot restart).
class InheritedSockets {
 public:
  // One for each worker, or fewer: then the rest are bound anew. key: see handOverKey().
  virtual std::vector<net::Fd> take(const std::string& key, size_t workers) = 0;

 protected:
  ~InheritedSockets() = default;
};

// By what both processes of a hot restart know a listener: its address as configured; where the system is to choose the
// port, with its name.
std::string handOverKey(const config::ListenerSpec& spec);

class ListenerTable {
 public:
  ListenerTable(const xds::Subscription::Environment& environment, Shared& shared, Crew& crew, RouteSources& routes);

  // bind: false to judge them only. inherited: null if there are none. All faults, not only the first.
  std::vector<base::Error> addStatic(const std::vector<config::ListenerSpec>& specs,
                                     const std::vector<std::string>& dumps, bool bind, InheritedSockets* inherited);
  // Reads the file for the first time, within the call.
  void follow(const base::FileSource& lds, InheritedSockets* inherited);
  // Told each time when no listener waits for plugins' code any more.
  void whenWarm(std::function<void()> told) { when_warm_ = std::move(told); }
  bool warm() const { return warming_.empty(); }
  // The workers accept: what is added from here on takes connections at once, and they wait until a worker has made
  // its plugins.
  void onAccepting() { accepting_ = true; }
  // No response changes anything any more.
  void stop();
  // Lets go of the sockets, so that the workers' are the last; before they are told to close theirs.
  void releaseSockets(bool inbound_only = false);
  // After releaseSockets() and when the workers have stopped accepting: binds anew and accepts again.
  void reopen();
  // A listener that was replaced or removed has lost its last connection, on one worker.
  void onListenerGone(const std::shared_ptr<SharedListener>& listener);

  std::vector<ListenerStatus> statuses() const;
  void describe(DiscoveryStatus& status) const;
  // For hot restart.
  struct Sockets {
    std::string key;
    std::vector<int> descriptors;
  };
  std::vector<Sockets> sockets() const;

 private:
  struct Entry {
    std::shared_ptr<SharedListener> listener;
    std::vector<net::Fd> sockets;  // One a worker; descriptors of our own of what the workers accept on.
    std::vector<std::shared_ptr<RouteSource>> routes;  // Followed for its connection managers.
    std::string bytes;
    ResourceStatus status;
    std::vector<std::shared_ptr<proxy_wasm::LatePlugin>> late;  // Plugins whose code it waits for.
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  std::vector<std::string> take(config::Discovered& resources);
  // A listener with everything but its sockets; faults are added to.
  Entry build(const config::ListenerSpec& spec, std::vector<base::Error>& faults);
  void drain(Entry& entry);
  void takeSockets(Entry& entry, const Entry* before, std::vector<base::Error>& faults);
  void checkAddress(const std::string& name, const Entry& entry, const Entries& built,
                    const std::vector<std::string>& gone, std::vector<base::Error>& faults) const;
  void put(const std::string& name, Entry entry);
  void listen(const Entry& entry) const;
  void settle(const std::string& name);
  const Entry* newest(const std::string& name) const;
  void remove(const std::string& name);
  void countAll();

  const xds::Subscription::Environment environment_;
  Shared& shared_;
  Crew& crew_;
  RouteSources& route_sources_;
  InheritedSockets* inherited_ = nullptr;  // While the first listeners are made.
  std::unique_ptr<xds::Subscription> lds_;
  Entries entries_;
  Entries warming_;  // Complete but for code that is being fetched; each will take the place of one of that name.
  std::function<void()> when_warm_;
  bool accepting_ = false;
  std::vector<std::string> order_;  // Names, as they came: how /listeners shows them.
  struct Draining {
    ResourceStatus status;
    size_t workers;  // On which it still has connections.
  };
  std::map<std::shared_ptr<SharedListener>, Draining> draining_;
  uint64_t nameless_ = 0;
  stats::Counter& added_;
  stats::Counter& modified_;
  stats::Counter& removed_;
  stats::Counter& create_success_;
  stats::Counter& create_failure_;
  stats::Gauge& active_;
  stats::Gauge& draining_count_;
  stats::Gauge& warming_count_;
};

}  // namespace weir::server
