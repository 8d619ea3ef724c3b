// The whole proxy in one object: everything is assembled here and nowhere else.
//
// create() does all that can fail before a request is served: plugins are compiled and tried, listeners are bound, the
// admin endpoint is opened. run() starts the workers and returns when a signal (or /quitquitquit) has ended them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access_log/feed.h"
#include "base/result.h"
#include "config/spec.h"
#include "proxy_wasm/spec.h"

namespace weir::server {

struct Options {
  uint32_t workers = 1;
  bool bind = true;  // False: what is made can only be judged, not run; another process may hold its addresses.
  base::Duration drain_time = std::chrono::seconds(600);
  proxy_wasm::Budgets budgets;
  uint64_t max_connections = 0;    // Of clients, over all listeners; 0: no limit.
  access_log::FlushRules log_flush;
  std::string module_cache;        // Directory of compiled plugins; empty: none.
  std::string admin_address_path;  // File that gets the admin address; empty: none.
  std::string version;
  // For /server_info: the command line, as (Envoy's JSON name, value).
  std::vector<std::pair<std::string, std::string>> command_line;
};

class Server {
 public:
  virtual ~Server() = default;

  // All faults, not only the first: one per plugin, listener or address that cannot be.
  struct Outcome {
    std::unique_ptr<Server> server;
    std::vector<base::Error> faults;
  };
  static Outcome create(config::Bootstrap bootstrap, Options options);

  // Serves until SIGTERM or SIGINT (drains, then ends; a second one ends at once). The exit code of the process.
  virtual int run() = 0;
};

}  // namespace weir::server
