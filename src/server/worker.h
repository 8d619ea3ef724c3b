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
#include "exchange/client_connection.h"
#include "proxy_wasm/worker_plugins.h"
#include "server/door.h"
#include "server/shared.h"

namespace weir::server {

class Worker {
 public:
  class Owner {
   public:
    // Its clusters have had their first answer (or failure): it could serve.
    virtual void onWorkerReady(uint32_t index) = 0;
    // It listens: a client that comes now is served.
    virtual void onWorkerAccepting(uint32_t index) = 0;
    // It was asked to drain, and its last connection has gone.
    virtual void onWorkerEmpty(uint32_t index) = 0;

   protected:
    ~Owner() = default;
  };

  Worker(uint32_t index, Shared& shared, Owner& owner);
  ~Worker();

  // Binds every listener. The first worker settles the ports that were given as 0.
  std::vector<base::Error> bind();
  void start();
  void beginAccepting();
  // Stops accepting, asks clients to go, and lets requests finish.
  void drain();
  // Ends now: open connections are closed.
  void stop();
  void join();

  // Lets look() see the worker's clusters on its thread, for the admin pages, and waits for it; false if the worker did
  // not get to it within a second.
  bool inspectClusters(const std::function<void(upstream::Clusters&)>& look);

 private:
  void run();
  void setUp();
  void makeChains();
  std::unique_ptr<tcp::Chain> makeTcpChain(const SharedFilterChain& chain, size_t buffer_limit);
  std::unique_ptr<exchange::HttpManager> makeManager(const SharedHttp& http, size_t buffer_limit);
  void tellWhenEmpty();

  const uint32_t index_;
  Shared& shared_;
  Owner& owner_;
  event::Loop loop_;
  base::FastRandom random_;
  access_log::Feeds log_feeds_;
  std::unique_ptr<upstream::Clusters> clusters_;
  std::unique_ptr<proxy_wasm::WorkerPlugins> plugins_;
  std::vector<std::unique_ptr<Door>> doors_;
  size_t connections_ = 0;
  bool draining_ = false;
  std::thread thread_;
};

}  // namespace weir::server
