#include "config/report.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::config {
namespace {

std::string located(const std::string& file, uint32_t line, uint32_t column, const std::string& path,
                    const std::string& message) {
  std::string text = file;
  if (line > 0) text += fmt::format(":{}:{}", line, column);
  if (!text.empty()) text += ": ";
  if (!path.empty()) text += path + ": ";
  return text + message;
}

}  // namespace

std::string_view name(FaultKind kind) {
  switch (kind) {
    case FaultKind::Syntax: return "syntax";
    case FaultKind::Limit: return "limit";
    case FaultKind::Unknown: return "unknown";
    case FaultKind::Type: return "type";
    case FaultKind::Rule: return "rule";
    case FaultKind::Unsupported: return "unsupported";
    case FaultKind::Conflict: return "conflict";
    case FaultKind::File: return "file";
  }
  return "";
}

std::string Fault::text() const { return located(file, line, column, path, message); }
std::string Notice::text() const { return located(file, line, column, path, message); }

uint16_t Report::addSource(std::string name) {
  sources_.push_back(std::move(name));
  return static_cast<uint16_t>(sources_.size() - 1);
}

void Report::place(const std::string& path, Position position) { positions_[path] = position; }

void Report::wrap(const std::string& path, std::string_view member) { wraps_.emplace_back(path, member); }

void Report::fault(FaultKind kind, const std::string& path, std::string message) {
  if (!faulty_.insert(path).second) return;
  if (faults_.size() >= kMaxFaults) {
    dropped_++;
    return;
  }
  faults_.push_back({kind, asWritten(path), find(path), std::move(message)});
}

void Report::faultAt(FaultKind kind, Position position, std::string message) {
  faults_.push_back({kind, "", position, std::move(message)});
}

void Report::notice(const std::string& path, std::string message) {
  if (notices_.size() >= kMaxFaults) return;
  notices_.push_back({FaultKind::Rule, asWritten(path), find(path), std::move(message)});
}

void Report::noticeAt(Position position, std::string message) {
  notices_.push_back({FaultKind::Rule, "", position, std::move(message)});
}

// The position of the longest prefix of the path, cut at '.' and '[', that has one.
Position Report::find(std::string_view path) const {
  while (true) {
    if (auto found = positions_.find(std::string(path)); found != positions_.end()) return found->second;
    const size_t cut = path.find_last_of(".[");
    if (cut == std::string_view::npos) break;
    path = path.substr(0, cut);
  }
  const auto whole = positions_.find("");
  return whole == positions_.end() ? Position{} : whole->second;
}

std::string Report::asWritten(const std::string& path) const {
  std::string written = path;
  // Inner wraps first: an outer one would shift what they look for.
  for (auto wrap = wraps_.rbegin(); wrap != wraps_.rend(); ++wrap) {
    const std::string& outer = wrap->first;
    const bool below = path.size() > outer.size() && path.starts_with(outer) &&
                       (path[outer.size()] == '.' || path[outer.size()] == '[');
    if (below) written.insert(outer.size(), "." + wrap->second);
  }
  return written;
}

std::vector<Fault> Report::takeFaults() {
  std::stable_sort(faults_.begin(), faults_.end(), [](const Entry& a, const Entry& b) {
    if (a.position.source != b.position.source) return a.position.source < b.position.source;
    return a.position.line < b.position.line;
  });
  std::vector<Fault> all;
  for (Entry& entry : faults_) {
    const std::string& file = entry.position.source < sources_.size() ? sources_[entry.position.source] : std::string();
    Fault fault{entry.kind,          std::move(entry.path), file,
                entry.position.line, entry.position.column, std::move(entry.message)};
    all.push_back(std::move(fault));
  }
  if (dropped_ > 0) all.push_back({FaultKind::Limit, "", "", 0, 0, fmt::format("and {} more faults", dropped_)});
  faults_.clear();
  return all;
}

std::vector<Notice> Report::takeNotices() {
  std::vector<Notice> all;
  for (Entry& entry : notices_) {
    const std::string& file = entry.position.source < sources_.size() ? sources_[entry.position.source] : std::string();
    all.push_back({std::move(entry.path), file, entry.position.line, entry.position.column, std::move(entry.message)});
  }
  notices_.clear();
  return all;
}

Place Place::field(std::string_view name) const {
  std::string path = path_;
  if (!path.empty()) path += '.';
  path += name;
  return Place(*report_, std::move(path));
}

Place Place::item(size_t index) const { return Place(*report_, fmt::format("{}[{}]", path_, index)); }

Place Place::key(std::string_view key) const { return Place(*report_, fmt::format("{}[\"{}\"]", path_, key)); }

void Place::unsupported(std::string_view what) const {
  fault(FaultKind::Unsupported, fmt::format("{} is known to Envoy, but not implemented in weir yet", what));
}

}  // namespace weir::config
