// One worker: a thread with its own loop, listening sockets, clusters, plugin instances and connections.
//
// Made and bound by the main thread, then started; after that everything in it belongs to its thread. The public calls
// after start() are messages to it. It tells the main thread through Owner, on its own thread.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <thread>
#include <vector>

#include "event/loop.h"
#include "event/timer.h"
#include "exchange/client_connection.h"
#include "proxy_wasm/worker_plugins.h"
#include "server/door.h"
#include "server/fetch_call.h"
#include "server/manager.h"
#include "server/shared.h"
#include "server/upstream_filters.h"

namespace weir::server {

class Worker {
 public:
  class Owner {
   public:
    // Its clusters have had their first answer (or failure): it could serve.
    virtual void onWorkerReady(uint32_t index) = 0;
    // It listens: a client that comes now is served.
    virtual void onWorkerAccepting(uint32_t index) = 0;
    // A listener that was replaced or removed has lost its last connection here.
    virtual void onListenerGone(std::shared_ptr<SharedListener> listener) = 0;
    // It was asked to drain, and its last connection has gone.
    virtual void onWorkerEmpty(uint32_t index) = 0;

   protected:
    ~Owner() = default;
  };

  // What the last connections of a listener have, after it was replaced or removed.
  struct Drain {
    base::Duration time = std::chrono::seconds(600);
    bool gradual = true;
  };
  Worker(uint32_t index, Shared& shared, Owner& owner, Drain drain);
  ~Worker();

  void start();
  // A listener, in the place of that of the same key; see Crew. What is put before beginAccepting() opens with it.
  void putListener(std::shared_ptr<SharedListener> listener, net::Fd socket);
  void removeListener(const std::string& key);
  void setRoutes(uint64_t source, std::shared_ptr<const LoadedRoutes> routes);
  void putCluster(const upstream::ClusterSpec& spec);
  void removeCluster(const std::string& name);
  void assign(const std::string& cluster, std::shared_ptr<const upstream::Assignment> endpoints);
  // Plugins whose code has come are started.
  void startLatePlugins();
  // Sends the request by a cluster of the worker's. answered: on the worker's thread; not told when the worker ends.
  void fetch(proxy_wasm::FetchRequest request, std::function<void(proxy_wasm::FetchAnswer)> answered);
  void beginAccepting();
  // Stops accepting, asks clients to go, and lets requests finish.
  void drain();
  // The parts of that, for admin: all listeners, or only those of traffic_direction INBOUND.
  void askToGo(bool inbound_only);
  void stopAccepting(bool inbound_only);
  // Takes askToGo() back, for connections that were not asked yet.
  void welcome();
  // Ends now: open connections are closed.
  void stop();
  void join();

  // Lets look() see the worker's clusters on its thread, for the admin pages, and waits for it; false if the worker did
  // not get to it within a second.
  bool inspectClusters(const std::function<void(upstream::Clusters&)>& look);

 private:
  void run();
  void setUp();
  void makeChains(Door& door);
  void openDoor(std::shared_ptr<SharedListener> listener, net::Fd socket);
  // The door of that key out of those that accept; null if there is none.
  std::unique_ptr<Door> takeDoor(std::string_view key);
  void leave(std::unique_ptr<Door> door);
  Door::Pace pace() const { return {drain_.gradual ? drain_.time : base::Duration::zero()}; }
  void onConnectionCame();
  void onConnectionGone();
  void sweep();
  ManagerPlace place();
  access_log::Logs logs(std::shared_ptr<const access_log::CompiledLogs> compiled);
  std::unique_ptr<tcp::Chain> makeTcpChain(const SharedFilterChain& chain, size_t buffer_limit);
  void startFetch(const proxy_wasm::FetchRequest& request, std::function<void(proxy_wasm::FetchAnswer)> answered);
  void tellWhenEmpty();

  const uint32_t index_;
  Shared& shared_;
  Owner& owner_;
  event::Loop loop_;
  base::FastRandom random_;
  access_log::Feeds log_feeds_;
  std::unique_ptr<upstream::Clusters> clusters_;
  std::unique_ptr<proxy_wasm::WorkerPlugins> plugins_;
  OwnFilters filters_;
  std::vector<std::unique_ptr<proxy_wasm::Service>> services_;
  std::list<std::unique_ptr<FetchCall>> fetches_;
  std::vector<std::unique_ptr<Door>> doors_;
  // Doors that do not accept any more, with their last connections.
  struct Leaving {
    std::unique_ptr<Door> door;
    base::MonotonicTime deadline;
  };
  std::vector<Leaving> leaving_;
  const Drain drain_;
  event::Timer sweep_;
  size_t connections_ = 0;
  bool accepting_ = false;
  bool draining_ = false;
  std::thread thread_;
};

}  // namespace weir::server
