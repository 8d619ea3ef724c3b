// weir: reads the command line, loads the configuration, and runs the server.
#include <fmt/core.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/log.h"
#include "cli/compile.h"
#include "cli/flags.h"
#include "config/load.h"
#include "server/server.h"

namespace {

using weir::cli::Flags;
using weir::cli::Mode;

bool setUpLogging(const Flags& flags) {
  weir::base::LogSettings settings;
  settings.path = flags.log_path;
  if (flags.log_format) settings.pattern = *flags.log_format;
  const auto level = weir::base::parseLogLevel(flags.log_level);
  if (!level.ok()) {
    fmt::print(stderr, "weir: --log-level: {}\n", level.error().detail);
    return false;
  }
  settings.level = *level;
  if (const auto set = weir::base::setUpLog(settings); !set.ok()) {
    fmt::print(stderr, "weir: --log-path: {}\n", set.error().detail);
    return false;
  }
  if (const auto set = weir::base::setLogLevels(flags.component_log_level); !set.ok()) {
    fmt::print(stderr, "weir: --component-log-level: {}\n", set.error().detail);
    return false;
  }
  return true;
}

// The CPUs this process may use, as the container or taskset says.
uint32_t usableCpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return static_cast<uint32_t>(std::max(1, CPU_COUNT(&set)));
}

// Half of the descriptors that we do not need ourselves, because a client may need one upstream; and not more than what
// Envoy recommends for an edge.
uint64_t defaultMaxConnections() {
  constexpr uint64_t kMost = 50'000;
  constexpr uint64_t kLeast = 64;
  constexpr uint64_t kOurOwn = 200;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kMost;
  const uint64_t descriptors = std::max<uint64_t>(limit.rlim_cur, kOurOwn);
  return std::clamp<uint64_t>((descriptors - kOurOwn) / 2, kLeast, kMost);
}

// The flag's word counts before the configuration's.
std::optional<uint64_t> maxConnections(const Flags& flags, const weir::config::Bootstrap& bootstrap) {
  if (!flags.max_connections) return bootstrap.max_connections.value_or(defaultMaxConnections());
  if (*flags.max_connections == 0) return std::nullopt;
  return flags.max_connections;
}

// As many descriptors as the system lets us have: a proxy that runs out of them stops accepting.
void raiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::string moduleCache(const Flags& flags) {
  if (flags.plugin_cache == "none") return "";
  if (!flags.plugin_cache.empty()) return flags.plugin_cache;
  if (const char* base = std::getenv("XDG_CACHE_HOME"); base != nullptr && *base == '/') {
    return std::string(base) + "/weir/modules";
  }
  const char* home = std::getenv("HOME");
  return home != nullptr && *home == '/' ? std::string(home) + "/.cache/weir/modules" : "";
}

weir::config::LoadOptions loadOptions(const Flags& flags) {
  weir::config::LoadOptions load;
  load.config_path = flags.config_path;
  load.config_yaml = flags.config_yaml;
  load.service_cluster = flags.service_cluster;
  load.service_node = flags.service_node;
  load.service_zone = flags.service_zone;
  load.allow_unknown_static_fields = flags.allow_unknown_static_fields;
  return load;
}

weir::server::RestartOptions restartOptions(const Flags& flags) {
  weir::server::RestartOptions restart;
  restart.enabled = !flags.disable_hot_restart;
  restart.epoch = flags.restart_epoch;
  restart.base_id = flags.base_id;
  restart.base_id_given = flags.base_id_given;
  restart.dynamic_base_id = flags.use_dynamic_base_id && flags.restart_epoch == 0;
  restart.base_id_path = flags.base_id_path;
  restart.socket_path = flags.socket_path;
  restart.socket_mode = static_cast<int>(std::strtol(flags.socket_mode.c_str(), nullptr, 8));
  restart.parent_shutdown_time = std::chrono::seconds(flags.parent_shutdown_time_s);
  restart.skip_without_parent = flags.skip_hot_restart_on_no_parent;
  restart.skip_parent_stats = flags.skip_hot_restart_parent_stats;
  return restart;
}

weir::server::Options serverOptions(const Flags& flags) {
  weir::server::Options options;
  options.workers = flags.concurrency.value_or(usableCpus());
  if (options.workers == 0) options.workers = 1;
  options.drain_time = std::chrono::seconds(flags.drain_time_s);
  options.drain_gradual = flags.drain_strategy == "gradual";
  options.load = loadOptions(flags);
  options.restart = restartOptions(flags);
  options.reject_unknown_dynamic_fields = flags.reject_unknown_dynamic_fields;
  options.plugin_limits = flags.plugin_limits;
  options.plugin_watch = flags.plugin_watch;
  options.plugin_strict_start = flags.plugin_strict_start;
  options.pooled_instances = flags.plugin_pool;
  options.time_one_plugin_call_in = flags.plugin_time_calls;
  options.log_flush.interval = std::chrono::milliseconds(flags.file_flush_interval_msec);
  options.log_flush.min_size = size_t{flags.file_flush_min_size_kb} * 1024;
  options.module_cache = moduleCache(flags);
  options.registries = {
      .credentials_file = flags.oci_credentials, .policy = flags.oci_pull_policy, .hosts = flags.oci_hosts};
  options.native_key = flags.plugin_native_key;
  options.compile_aside = {{"/proc/self/exe", std::string(weir::cli::kCompileForParent)},
                           {.cpu_time = std::chrono::seconds(flags.plugin_compile_s),
                            .memory_bytes = size_t{flags.plugin_compile_mb} << 20}};
  options.admin_address_path = flags.admin_address_path;
  options.version = weir::cli::versionText();
  options.command_line = {{"concurrency", std::to_string(options.workers)},
                          {"config_path", flags.config_path},
                          {"config_yaml", flags.config_yaml},
                          {"log_level", flags.log_level},
                          {"component_log_level", flags.component_log_level},
                          {"log_path", flags.log_path},
                          {"service_cluster", flags.service_cluster},
                          {"service_node", flags.service_node},
                          {"service_zone", flags.service_zone},
                          {"restart_epoch", std::to_string(flags.restart_epoch)},
                          {"base_id", std::to_string(flags.base_id)},
                          {"parent_shutdown_time", fmt::format("{}s", flags.parent_shutdown_time_s)},
                          {"drain_time", fmt::format("{}s", flags.drain_time_s)},
                          {"drain_strategy", flags.drain_strategy == "gradual" ? "Gradual" : "Immediate"},
                          {"admin_address_path", flags.admin_address_path}};
  return options;
}

// Everything that was noticed, then everything that is wrong.
bool reportConfiguration(const weir::config::LoadOutcome& outcome) {
  for (const auto& notice : outcome.notices) LOG(Config, Warning, "{}", notice.text());
  for (const auto& fault : outcome.faults) LOG(Config, Error, "{}", fault.text());
  if (outcome.bootstrap) return true;
  LOG(Main, Critical, "the configuration was refused: {} fault{}", outcome.faults.size(),
      outcome.faults.size() == 1 ? "" : "s");
  return false;
}

int serve(const Flags& flags, weir::config::Bootstrap bootstrap) {
  weir::server::Options options = serverOptions(flags);
  options.max_connections = maxConnections(flags, bootstrap);
  options.bind = flags.mode != Mode::Validate;  // As Envoy: the running proxy has the addresses.
  auto outcome = weir::server::Server::create(std::move(bootstrap), std::move(options));
  for (const auto& fault : outcome.faults) LOG(Main, Critical, "{}", fault.detail);
  if (outcome.server == nullptr) return 1;
  if (flags.mode == Mode::Validate) {
    fmt::print("configuration '{}' OK\n", flags.config_path);
    return 0;
  }
  if (flags.mode == Mode::InitOnly) return 0;
  return outcome.server->run();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "compile") return weir::cli::compile({argv + 2, argv + argc});
  if (argc == 4 && argv[1] == weir::cli::kCompileForParent) return weir::wasm::compileForParent(argv[2], argv[3]);
  const weir::cli::Parsed parsed = weir::cli::parseFlags({argv + 1, argv + argc});
  if (!parsed.flags) {
    fmt::print(parsed.exit_code == 0 ? stdout : stderr, "{}", parsed.text);
    return parsed.exit_code;
  }
  const Flags& flags = *parsed.flags;
  if (flags.hot_restart_version) {
    fmt::print("{}\n", flags.disable_hot_restart ? "disabled" : weir::server::restartVersion());
    return 0;
  }
  if (!setUpLogging(flags)) return 1;
  for (const std::string& sentence : flags.without_effect) LOG(Main, Warning, "{}", sentence);
  raiseDescriptorLimit();

  weir::config::LoadOutcome outcome = weir::config::load(loadOptions(flags));
  if (!reportConfiguration(outcome)) return 1;
  const int code = serve(flags, std::move(*outcome.bootstrap));
  weir::base::flushLog();
  return code;
}
