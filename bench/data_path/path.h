// A worker's whole data path between two ends of our own: what a configuration's first listener would do with a
// request, assembled as the server does it, without threads and sockets.
//
// Time stands still but for kTurn a turn, so that every run does the same.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "event/loop.h"
#include "exchange/client_connection.h"
#include "proxy_wasm/worker_plugins.h"
#include "server/server.h"
#include "server/shared.h"
#include "server/upstream_filters.h"
#include "speakers.h"

namespace weir::bench {

class Path final : private exchange::ClientConnection::Owner {
 public:
  static constexpr base::Duration kTurn = std::chrono::microseconds(20);

  // cache: where compiled plugins are kept; empty: nowhere. An error is whoever's wrote the configuration.
  static base::Result<std::unique_ptr<Path>> create(const std::string& config_file, const std::string& cache);
  ~Path();

  // Each time one more client, with a connection of its own.
  void connect(std::unique_ptr<Client> client);
  // Each client asks once and gets its answer; so often. Stops the program if an answer does not come.
  void exchange(uint64_t rounds);

  const Origin& origin() const { return *origin_; }

 private:
  Path() = default;
  base::Result<void> load(const std::string& config_file, const std::string& cache);
  void begin();
  void turn();
  void onConnectionClosed(exchange::ClientConnection& connection) override;

  struct Line {
    std::unique_ptr<Client> client;
    Wire* wire = nullptr;
    std::unique_ptr<exchange::ClientConnection> connection;
    bool waits = false;
  };

  base::ManualClock clock_;
  event::Loop loop_{clock_};
  base::FastRandom random_{1};
  server::Options options_;
  server::Shared shared_;
  std::shared_ptr<server::SharedListener> listener_;
  std::unique_ptr<access_log::Feeds> log_feeds_;
  std::unique_ptr<Origin> origin_;
  server::OwnFilters filters_;
  std::unique_ptr<upstream::Clusters> clusters_;
  std::unique_ptr<proxy_wasm::WorkerPlugins> plugins_;
  std::unique_ptr<exchange::HttpManager> manager_;
  std::vector<Line> lines_;
};

}  // namespace weir::bench
