#include "cli/flags.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <sstream>

#include "cli/plugin_limits.h"

namespace weir::cli {
namespace {

constexpr std::string_view kVersion = "0.1.0";

// Flags of Envoy that are taken for the sake of existing command lines, and why they change nothing here.
struct Idle {
  const char* name;
  bool takes_value;
  const char* reason;
};
constexpr Idle kIdle[] = {
    {"--ignore-unknown-dynamic-fields", false, "they are ignored, and reported, unless they are to be refused"},
    {"--cpuset-threads", false, "the default number of workers already follows the CPUs this process may use"},
    {"--enable-core-dump", false, "core dumps follow the system's limits"},
    {"--enable-mutex-tracing", false, "there is no mutex on the data path to trace"},
    {"--enable-fine-grain-logging", false, "levels are set per component"},
    {"--skip-deprecated-logs", false, "notices about deprecated fields are always printed"},
    {"--log-stacktrace-single-entry", false, "stack traces are not logged"},
    {"--local-address-ip-version", true, "the local address is an IPv4 address"},
};

void addEnvoyFlags(CLI::App& app, Flags& flags) {
  app.add_option("-c,--config-path", flags.config_path, "Configuration file: YAML, JSON, .pb or .pb_text");
  app.add_option("--config-yaml", flags.config_yaml, "Configuration text, merged over the file");
  app.add_option("--mode", flags.mode, "serve, validate (check the configuration and exit) or init_only")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Mode>{
          {"serve", Mode::Serve}, {"validate", Mode::Validate}, {"init_only", Mode::InitOnly}}));
  app.add_option("--concurrency", flags.concurrency, "Worker threads; default: one for each CPU");
  app.add_option("-l,--log-level", flags.log_level, "trace, debug, info, warning, error, critical or off");
  app.add_option("--component-log-level", flags.component_log_level, "For example wasm:debug,upstream:trace");
  app.add_option("--log-format", flags.log_format, "Pattern of log lines, in spdlog's language");
  app.add_option("--log-path", flags.log_path, "File for the log instead of standard error");
  app.add_option("--service-cluster", flags.service_cluster, "node.cluster, where the configuration does not say it");
  app.add_option("--service-node", flags.service_node, "node.id, where the configuration does not say it");
  app.add_option("--service-zone", flags.service_zone, "node.locality.zone, likewise");
  app.add_option("--drain-time-s", flags.drain_time_s, "Most seconds that a stop waits for requests under way");
  app.add_option("--drain-strategy", flags.drain_strategy, "gradual or immediate: how soon clients are asked to go")
      ->check(CLI::IsMember({"gradual", "immediate"}));
  app.add_option("--admin-address-path", flags.admin_address_path, "File to which the admin address is written");
  app.add_option("--file-flush-interval-msec", flags.file_flush_interval_msec,
                 "Most milliseconds that lines of access logs wait to be written");
  app.add_option("--file-flush-min-size-kb", flags.file_flush_min_size_kb,
                 "KiB of access log lines that are written before the interval has passed");
  app.add_flag("--allow-unknown-static-fields,--allow-unknown-fields", flags.allow_unknown_static_fields,
               "Unknown configuration fields are reported, not refused");
  app.add_flag("--reject-unknown-dynamic-fields", flags.reject_unknown_dynamic_fields,
               "Unknown fields in discovered resources are refused, not reported");
}

void addRestartFlags(CLI::App& app, Flags& flags) {
  app.add_flag("--disable-hot-restart", flags.disable_hot_restart, "No process can take over from this one");
  app.add_option("--restart-epoch", flags.restart_epoch, "Above 0: takes over from the process of the epoch before");
  CLI::Option* const base_id =
      app.add_option("--base-id", flags.base_id, "Tells processes that do not restart one another apart");
  app.add_flag("--use-dynamic-base-id", flags.use_dynamic_base_id, "Chooses a base id that is free")->excludes(base_id);
  app.add_option("--base-id-path", flags.base_id_path, "File to which the base id is written");
  app.add_option("--parent-shutdown-time-s", flags.parent_shutdown_time_s,
                 "After so many seconds the process taken over from ends");
  app.add_option("--socket-path", flags.socket_path,
                 "Name of the socket between the two; @ for the abstract name space");
  app.add_option("--socket-mode", flags.socket_mode, "Permissions of that socket, octal");
  app.add_flag("--skip-hot-restart-on-no-parent", flags.skip_hot_restart_on_no_parent,
               "Starts alone where there is no process to take over from");
  app.add_flag("--skip-hot-restart-parent-stats", flags.skip_hot_restart_parent_stats,
               "Counters begin at 0 in each epoch");
  app.add_flag("--hot-restart-version", flags.hot_restart_version, "Prints what both processes must have in common");
}

void takeLimits(const std::vector<std::string>& given, Flags& flags) {
  for (const std::string& each : given) {
    if (auto added = addPluginLimit(each, flags.plugin_limits); !added.ok()) {
      throw CLI::ValidationError(added.error().detail);  // CLI11's way to say a fault.
    }
  }
}

void addLimitFlags(CLI::App& app, Flags& flags) {
  for (const LimitFlag& limit : limitFlags()) {
    const auto put = [&flags, &limit](uint64_t value) { limit.put(flags.plugin_limits.defaults, value); };
    app.add_option_function<uint64_t>(fmt::format("--plugin-{}", limit.key), put, limit.help)
        ->check(CLI::Range(limit.least, limit.most));
  }
  app.add_option_function<std::vector<std::string>>(
         "--plugin-limit", [&flags](const std::vector<std::string>& given) { takeLimits(given, flags); },
         "The same for the plugins of a name, as NAME:call-ms=50,memory-mb=16; may be given again")
      ->allow_extra_args(false);
}

void takeHosts(const std::vector<std::string>& given, Flags& flags) {
  for (const std::string& each : given) {
    const size_t equals = each.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == each.size()) {
      throw CLI::ValidationError("--oci-host", "must be HOST=CLUSTER, is '" + each + "'");
    }
    flags.oci_hosts[proxy_wasm::hostKey(each.substr(0, equals))] = each.substr(equals + 1);
  }
}

void addOwnFlags(CLI::App& app, Flags& flags) {
  addLimitFlags(app, flags);
  app.add_flag("--plugin-watch", flags.plugin_watch, "Plugins whose files change are exchanged while weir runs");
  app.add_option("--plugin-compile-s", flags.plugin_compile_s,
                 "Most seconds of processor time that compiling a plugin may take; default 30")
      ->check(CLI::Range(1, 3600));
  app.add_option("--plugin-compile-mb", flags.plugin_compile_mb,
                 "Most MiB of address space that compiling a plugin may take; default 2048")
      ->check(CLI::Range(256, 1 << 20));
  app.add_option("--plugin-pool", flags.plugin_pool,
                 "Most instances of single streams that live in a pool, in the whole process; default 256, 0: no pool")
      ->check(CLI::Range(0, 4096));
  app.add_flag("--plugin-strict-start", flags.plugin_strict_start,
               "A plugin that cannot be loaded ends the start; else weir starts without it and keeps trying");
  app.add_option("--plugin-time-calls", flags.plugin_time_calls,
                 "Of so many calls of a plugin's callback one is timed (default 16; 1: every call, 0: none)");
  app.add_option("--max-connections", flags.max_connections, "Most connections of clients; 0: no limit");
  app.add_option("--plugin-native-key", flags.plugin_native_key,
                 "PEM file of the Ed25519 public key by which native code in plugins (weir compile) is signed");
  app.add_option("--oci-credentials", flags.oci_credentials,
                 "File of credentials for registries of plugins, in the shape of Docker's config.json");
  app.add_option("--oci-pull-policy", flags.oci_pull_policy,
                 "if-not-present or always; default: always for the tag latest, else if-not-present")
      ->transform(CLI::CheckedTransformer(std::map<std::string, proxy_wasm::PullPolicy>{
          {"if-not-present", proxy_wasm::PullPolicy::IfNotPresent}, {"always", proxy_wasm::PullPolicy::Always}}));
  app.add_option_function<std::vector<std::string>>(
         "--oci-host", [&flags](const std::vector<std::string>& given) { takeHosts(given, flags); },
         "HOST=CLUSTER: by which cluster another host is reached that a registry sends us to; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--plugin-cache", flags.plugin_cache, "Directory for compiled plugins, or 'none'");
}

// As Envoy: "--config-path file" may arrive as one argument.
std::vector<std::string> splitJoined(std::vector<std::string> arguments) {
  std::vector<std::string> out;
  for (std::string& argument : arguments) {
    const size_t space = argument.find(' ');
    const size_t equals = argument.find('=');
    if (argument.starts_with("--") && space != std::string::npos && (equals == std::string::npos || space < equals)) {
      out.push_back(argument.substr(0, space));
      out.push_back(argument.substr(argument.find_first_not_of(' ', space)));
    } else {
      out.push_back(std::move(argument));
    }
  }
  return out;
}

void noteIdle(const CLI::App& app, Flags& flags) {
  for (const Idle& idle : kIdle) {
    if (app.count(idle.name) > 0)
      flags.without_effect.push_back(fmt::format("{} has no effect: {}", idle.name, idle.reason));
  }
}

}  // namespace

std::string versionText() {
  return fmt::format("weir  version: {} (Envoy v3 API; Proxy-Wasm 0.1.0, 0.2.0, 0.2.1)", kVersion);
}

Parsed parseFlags(std::vector<std::string> arguments) {
  Flags flags;
  CLI::App app{"weir: an HTTP edge proxy built around Proxy-Wasm; takes Envoy's configuration and flags.", "weir"};
  app.set_version_flag("--version", versionText());
  addEnvoyFlags(app, flags);
  addRestartFlags(app, flags);
  addOwnFlags(app, flags);
  for (const Idle& idle : kIdle) {
    CLI::Option* option = idle.takes_value ? app.add_option(idle.name) : app.add_flag(idle.name);
    option->group("");  // Not in the help: it would do nothing.
  }
  std::vector<std::string> reversed = splitJoined(std::move(arguments));
  std::reverse(reversed.begin(), reversed.end());  // CLI11 takes them from the back.
  try {                                            // CLI11's way to say help, version and faults.
    app.parse(reversed);
  } catch (const CLI::ParseError& outcome) {
    std::ostringstream out, problem;
    const int code = app.exit(outcome, out, problem);
    return {std::nullopt, out.str() + problem.str(), code == 0 ? 0 : 1};
  }
  if (!flags.hot_restart_version && flags.config_path.empty() && flags.config_yaml.empty()) {
    return {std::nullopt, "weir: no configuration: give a file with -c, or its text with --config-yaml\n", 1};
  }
  noteIdle(app, flags);
  flags.base_id_given = app.count("--base-id") > 0;
  return {std::move(flags), "", 0};
}

}  // namespace weir::cli
