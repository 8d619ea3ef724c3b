// Shows and changes log levels while the process runs.
#include "base/log.h"
#include "server/admin_pages.h"

namespace weir::server {
namespace {

constexpr auto kComponents = static_cast<size_t>(base::LogComponent::kCount);

constexpr std::string_view kUsage =
    "usage: /logging?<name>=<level> (change single level)\n"
    "usage: /logging?paths=name1:level1,name2:level2,... (change multiple levels)\n"
    "usage: /logging?level=<level> (change all levels)\n"
    "levels: trace debug info warning error critical off \n";

std::string activeLevels() {
  std::string out = "active loggers:\n";
  for (size_t i = 0; i < kComponents; ++i) {
    const auto component = static_cast<base::LogComponent>(i);
    out += "  " + std::string(base::name(component)) + ": " + std::string(base::name(base::logLevel(component))) + "\n";
  }
  return out + "\n";
}

struct Change {
  std::optional<base::LogComponent> component;  // Absent: all.
  base::LogLevel level;
};

std::optional<base::LogComponent> componentNamed(std::string_view name) {
  for (size_t i = 0; i < kComponents; ++i) {
    const auto component = static_cast<base::LogComponent>(i);
    if (base::name(component) == name) return component;
  }
  return std::nullopt;
}

// What is wrong with it, in Envoy's words; empty if nothing. all: the name stands for every component.
std::string addChange(std::string_view name, std::string_view level, bool all, std::vector<Change>& changes) {
  if (name.empty() || level.empty()) return "empty logger name or empty logger level";
  const auto parsed = base::parseLogLevel(level);
  if (!parsed.ok()) return "unknown logger level";
  const auto component = componentNamed(name);
  if (!all && !component) return "unknown logger name";
  changes.push_back({all ? std::nullopt : component, *parsed});
  return {};
}

std::string addPaths(std::string_view paths, std::vector<Change>& changes) {
  while (!paths.empty()) {
    const std::string_view one = paths.substr(0, paths.find(','));
    paths.remove_prefix(std::min(one.size() + 1, paths.size()));
    const size_t colon = std::min(one.find(':'), one.size());
    const std::string_view level = one.substr(std::min(colon + 1, one.size()));
    if (std::string fault = addChange(one.substr(0, colon), level, false, changes); !fault.empty()) return fault;
  }
  return {};
}

std::string read(const AdminQuery& query, std::vector<Change>& changes) {
  if (query.all().empty()) return {};
  if (query.all().size() > 1) return "invalid number of parameters";
  const auto& [name, value] = query.all().front();
  if (name == "paths") return addPaths(value, changes);
  // "?level=" without a value asks only, as Envoy's home page does.
  if (name == "level" && value.empty()) return {};
  return addChange(name, value, name == "level", changes);
}

}  // namespace

AdminAnswer adminLogging(const AdminContext&, const AdminQuery& query) {
  std::vector<Change> changes;
  // All is read before anything changes, so that a fault leaves the levels as they were.
  const std::string fault = read(query, changes);
  if (!fault.empty()) {
    return {.status = 400, .body = "error: " + fault + "\n\n" + std::string(kUsage) + activeLevels()};
  }
  for (const Change& change : changes) {
    change.component ? base::setLogLevel(*change.component, change.level) : base::setLogLevel(change.level);
  }
  return {.body = activeLevels()};
}

}  // namespace weir::server
