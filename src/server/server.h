// The whole proxy in one object: everything is assembled here and nowhere else.
//
// create() does all that can fail before a request is served: plugins are compiled and tried (what is wrong with one
// ends the start only where that is wanted: PluginHost::goOnWithoutFaulty), listeners are bound, the admin endpoint is
// opened. run() starts the workers and returns when a signal (or /quitquitquit) has ended them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access_log/feed.h"
#include "base/result.h"
#include "config/load.h"
#include "config/spec.h"
#include "proxy_wasm/budgets.h"
#include "proxy_wasm/call_stats.h"
#include "proxy_wasm/image_pull.h"
#include "wasm/compile_aside.h"
#include "wasm/engine.h"

namespace weir::server {

// Hot restart: a process takes over from the one before it. Envoy's flags.
struct RestartOptions {
  bool enabled = false;
  uint32_t epoch = 0;  // Above 0: there is a process of the epoch before.
  uint32_t base_id = 0;
  bool base_id_given = false;
  bool dynamic_base_id = false;  // One that is free is chosen
  std::string base_id_path;      // and written there.
  std::string socket_path = "@weir_domain_socket";
  int socket_mode = 0600;
  base::Duration parent_shutdown_time = std::chrono::seconds(900);
  bool skip_without_parent = false;
  bool skip_parent_stats = false;
};

struct Options {
  uint32_t workers = 1;
  bool bind = true;  // False: what is made can only be judged, not run; another process may hold its addresses.
  base::Duration drain_time = std::chrono::seconds(600);
  bool drain_gradual = true;  // --drain-strategy, where clients are asked to go without haste.
  config::LoadOptions load;   // For discovered resources, as for the bootstrap.
  bool reject_unknown_dynamic_fields = false;
  RestartOptions restart;
  proxy_wasm::BudgetRules plugin_limits;  // The command line's; those of the bootstrap stand below them.
  bool plugin_watch = false;              // Plugins' files are watched.
  bool plugin_strict_start = false;       // A plugin that cannot be loaded ends the start.
  uint32_t pooled_instances = wasm::EngineSettings().pooled_instances;
  uint32_t time_one_plugin_call_in = proxy_wasm::kTimeOneCallIn;
  std::optional<uint64_t> max_connections;  // Of clients, over all listeners; nothing: no limit.
  access_log::FlushRules log_flush;
  wasm::CompileAside compile_aside;  // In what processes plugins are compiled.
  std::string native_key;            // PEM file: the public key of modules' native code; empty: none is used.
  proxy_wasm::RegistrySettings registries;
  std::string module_cache;        // Directory of compiled plugins; empty: none.
  std::string admin_address_path;  // File that gets the admin address; empty: none.
  std::string version;
  // For /server_info: the command line, as (Envoy's JSON name, value).
  std::vector<std::pair<std::string, std::string>> command_line;
};

// What both processes of a hot restart must have in common.
std::string restartVersion();

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
