// The log front: components, levels, and one macro. What is below its component's level costs one load and a branch.
//
// Lines have Envoy's form by default: [2026-11-23 21:06:35.452][12961][info][wasm] [src/x.cc:12] text.
// setUpLog() is called once by main before any thread starts; levels may be changed at any time from any thread.
#pragma once

#include <fmt/core.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir::base {

enum class LogLevel : uint8_t { Trace, Debug, Info, Warning, Error, Critical, Off };

// Envoy's names for what both have, so that --component-log-level keeps working.
enum class LogComponent : uint8_t {
  Admin,
  Config,
  Connection,
  Dns,
  Filter,
  Http,
  Http2,
  HealthChecker,
  Main,
  Misc,
  Pool,
  Router,
  Runtime,
  Testing,
  Tls,
  Upstream,
  Wasm,
  kCount,
};

std::string_view name(LogLevel level);  // trace, debug, info, warning, error, critical, off
std::string_view name(LogComponent component);
Result<LogLevel> parseLogLevel(std::string_view text);  // Also accepts "warn".

struct LogSettings {
  LogLevel level = LogLevel::Info;
  std::string pattern = "[%Y-%m-%d %T.%e][%t][%l][%n] [%g:%#] %v";  // spdlog's pattern language, as Envoy's.
  std::string path;                                                 // Empty: standard error.
};

Result<void> setUpLog(const LogSettings& settings);
void flushLog();

LogLevel logLevel(LogComponent component);
void setLogLevel(LogComponent component, LogLevel level);
void setLogLevel(LogLevel all);
// "wasm:debug,upstream:trace"; reports the first unknown component or level.
Result<void> setLogLevels(std::string_view list);

// Unconditional; call through LOG. Thread-safe.
void writeLog(LogComponent component, LogLevel level, const char* file, int line, std::string_view text);

extern std::atomic<uint8_t> log_levels[static_cast<size_t>(LogComponent::kCount)];
inline bool logEnabled(LogComponent component, LogLevel level) {
  return static_cast<uint8_t>(level) >= log_levels[static_cast<size_t>(component)].load(std::memory_order_relaxed);
}

}  // namespace weir::base

// LOG(Router, Debug, "cluster {} has no endpoint", name)
#define LOG(component, level, ...)                                                                                     \
  do {                                                                                                                 \
    if (::weir::base::logEnabled(::weir::base::LogComponent::component, ::weir::base::LogLevel::level)) {              \
      ::weir::base::writeLog(::weir::base::LogComponent::component, ::weir::base::LogLevel::level, __FILE__, __LINE__, \
                             ::fmt::format(__VA_ARGS__));                                                              \
    }                                                                                                                  \
  } while (false)
