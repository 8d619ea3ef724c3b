#include "base/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <memory>

namespace weir::base {
namespace {

constexpr size_t kComponents = static_cast<size_t>(LogComponent::kCount);
constexpr std::array<std::string_view, kComponents> kComponentNames = {
    "admin", "config", "connection", "dns",     "filter", "http",     "http2", "health_checker", "main", "misc",
    "pool",  "router", "runtime",    "testing", "tls",    "upstream", "wasm"};
constexpr std::array<std::string_view, 7> kLevelNames = {"trace", "debug",    "info", "warning",
                                                         "error", "critical", "off"};

std::array<std::shared_ptr<spdlog::logger>, kComponents> makeLoggers(const spdlog::sink_ptr& sink,
                                                                     const std::string& pattern) {
  std::array<std::shared_ptr<spdlog::logger>, kComponents> loggers;
  sink->set_pattern(pattern);
  for (size_t i = 0; i < kComponents; ++i) {
    loggers[i] = std::make_shared<spdlog::logger>(std::string(kComponentNames[i]), sink);
    loggers[i]->set_level(spdlog::level::trace);  // Levels are ours, tested before the text is made.
    loggers[i]->flush_on(spdlog::level::trace);
  }
  return loggers;
}

std::array<std::shared_ptr<spdlog::logger>, kComponents>& loggers() {
  static auto all = makeLoggers(std::make_shared<spdlog::sinks::stderr_sink_mt>(), LogSettings{}.pattern);
  return all;
}

// The path below the source root, so that a line does not tell on which machine it was built.
const char* shortPath(const char* file) {
  const std::string_view path(file);
  const size_t at = path.rfind("src/");
  return at == std::string_view::npos ? file : file + at;
}

}  // namespace

// Info by default, so that a unit test that logs is readable.
std::atomic<uint8_t> log_levels[kComponents] = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2};

std::string_view name(LogLevel level) { return kLevelNames[static_cast<size_t>(level)]; }
std::string_view name(LogComponent component) { return kComponentNames[static_cast<size_t>(component)]; }

Result<LogLevel> parseLogLevel(std::string_view text) {
  for (size_t i = 0; i < kLevelNames.size(); ++i) {
    if (text == kLevelNames[i]) return static_cast<LogLevel>(i);
  }
  if (text == "warn") return LogLevel::Warning;
  return Error{Code::InvalidArgument, Side::Operator, Retry::No,
               fmt::format("'{}' is no log level; use trace, debug, info, warning, error, critical or off", text)};
}

Result<void> setUpLog(const LogSettings& settings) {
  spdlog::sink_ptr sink;
  if (settings.path.empty()) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    try {  // spdlog reports an unwritable file only this way.
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(settings.path);
    } catch (const spdlog::spdlog_ex& problem) {
      return Error{Code::Io, Side::Operator, Retry::No, problem.what()};
    }
  }
  loggers() = makeLoggers(sink, settings.pattern);
  setLogLevel(settings.level);
  return Ok{};
}

void flushLog() {
  for (const auto& logger : loggers()) logger->flush();
}

LogLevel logLevel(LogComponent component) {
  return static_cast<LogLevel>(log_levels[static_cast<size_t>(component)].load());
}

void setLogLevel(LogComponent component, LogLevel level) {
  log_levels[static_cast<size_t>(component)] = static_cast<uint8_t>(level);
}

void setLogLevel(LogLevel all) {
  for (auto& level : log_levels) level = static_cast<uint8_t>(all);
}

Result<void> setLogLevels(std::string_view list) {
  while (!list.empty()) {
    const std::string_view entry = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), entry.size() + 1));
    const size_t colon = entry.find(':');
    const std::string_view component = entry.substr(0, colon);
    if (colon == std::string_view::npos) {
      return Error{Code::InvalidArgument, Side::Operator, Retry::No, fmt::format("'{}' is not component:level", entry)};
    }
    const Result<LogLevel> level = parseLogLevel(entry.substr(colon + 1));
    if (!level.ok()) return level.error();
    bool known = false;
    for (size_t i = 0; i < kComponents; ++i) {
      if (component != kComponentNames[i]) continue;
      setLogLevel(static_cast<LogComponent>(i), *level);
      known = true;
    }
    if (!known) {
      return Error{Code::InvalidArgument, Side::Operator, Retry::No,
                   fmt::format("'{}' is no log component", component)};
    }
  }
  return Ok{};
}

void writeLog(LogComponent component, LogLevel level, const char* file, int line, std::string_view text) {
  loggers()[static_cast<size_t>(component)]->log(spdlog::source_loc{shortPath(file), line, ""},
                                                 static_cast<spdlog::level::level_enum>(level),
                                                 spdlog::string_view_t(text.data(), text.size()));
}

}  // namespace weir::base
