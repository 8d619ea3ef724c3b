// The command line: Envoy's flags by Envoy's names, and a few of our own for plugins' budgets.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "proxy_wasm/budgets.h"
#include "proxy_wasm/call_stats.h"
#include "proxy_wasm/image_pull.h"
#include "wasm/engine.h"

namespace weir::cli {

enum class Mode : uint8_t { Serve, Validate, InitOnly };

struct Flags {
  std::string config_path;
  std::string config_yaml;
  Mode mode = Mode::Serve;
  std::optional<uint32_t> concurrency;
  std::string log_level = "info";
  std::string component_log_level;
  std::optional<std::string> log_format;
  std::string log_path;
  std::string service_cluster;
  std::string service_node;
  std::string service_zone;
  uint32_t drain_time_s = 600;
  uint32_t parent_shutdown_time_s = 900;
  std::string drain_strategy = "gradual";
  std::string admin_address_path;
  bool allow_unknown_static_fields = false;
  bool reject_unknown_dynamic_fields = false;
  // Hot restart.
  bool disable_hot_restart = false;
  uint32_t restart_epoch = 0;
  uint32_t base_id = 0;
  bool base_id_given = false;
  bool use_dynamic_base_id = false;
  std::string base_id_path;
  std::string socket_path = "@weir_domain_socket";
  std::string socket_mode = "600";
  bool skip_hot_restart_on_no_parent = false;
  bool skip_hot_restart_parent_stats = false;
  bool hot_restart_version = false;

  uint32_t file_flush_interval_msec = 10000;
  uint32_t file_flush_min_size_kb = 64;

  // Ours.
  proxy_wasm::BudgetRules plugin_limits;
  bool plugin_watch = false;
  bool plugin_strict_start = false;
  uint32_t plugin_compile_s = 30;
  uint32_t plugin_compile_mb = 2048;
  uint32_t plugin_pool = wasm::EngineSettings().pooled_instances;
  uint32_t plugin_time_calls = proxy_wasm::kTimeOneCallIn;
  std::optional<uint64_t> max_connections;                // 0: no limit. Nothing: see main.cc.
  std::string plugin_native_key;                          // PEM file: by whom native code in modules must be signed.
  std::string oci_credentials;                            // File in the shape of Docker's config.json.
  std::optional<proxy_wasm::PullPolicy> oci_pull_policy;  // Nothing: by the tag.
  std::map<std::string, std::string> oci_hosts;           // Cluster by host, besides the registry itself.
  std::string plugin_cache;  // Directory of compiled modules; "none": no cache. Empty: the user's cache directory.

  // Flags that were given and do nothing (yet): one sentence each, logged as warnings once the log is there.
  std::vector<std::string> without_effect;
};

struct Parsed {
  std::optional<Flags> flags;  // Absent: text is all there is to say (help, version, or what is wrong).
  std::string text;
  int exit_code = 0;
};

Parsed parseFlags(std::vector<std::string> arguments);

std::string versionText();

}  // namespace weir::cli
