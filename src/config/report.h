// What a configuration got wrong, all of it, and what its reader should know.
//
// Parts of the loader know only the path of what they look at (static_resources.listeners[0].name). Where that stood in
// a file is noted once, when the text is read, and looked up when the report is finished.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace weir::config {

enum class FaultKind : uint8_t {
  Syntax,       // Not YAML, not JSON.
  Limit,        // Too big, too deep.
  Unknown,      // No such field, type or enum value.
  Type,         // A list where a number belongs.
  Rule,         // A value outside of what the API allows.
  Unsupported,  // Known to Envoy, and not built here yet.
  Conflict,     // Values that do not fit together: a route to a cluster that is not there.
  File,         // A file that cannot be read.
};

std::string_view name(FaultKind kind);

// Line and column count from 1; 0: unknown.
struct Position {
  uint16_t source = 0;
  uint32_t line = 0;
  uint32_t column = 0;
};

struct Fault {
  FaultKind kind = FaultKind::Syntax;
  std::string path;  // Empty: the whole document.
  std::string file;
  uint32_t line = 0;
  uint32_t column = 0;
  std::string message;  // What is wrong and what was expected.

  // "envoy.yaml:12:9: static_resources.listeners[0].name: expected a string, got a number"
  std::string text() const;
};

// Something accepted that deserves a line in the log: a legacy form, a deprecated field, a field without effect.
struct Notice {
  std::string path;
  std::string file;
  uint32_t line = 0;
  uint32_t column = 0;
  std::string message;

  std::string text() const;
};

class Report {
 public:
  // More faults than this are counted, not kept.
  static constexpr size_t kMaxFaults = 200;

  // A name for messages ("envoy.yaml", "--config-yaml"); the number stands for it in a Position.
  uint16_t addSource(std::string name);

  // Notes where `path` stood. What is below it and has no entry of its own is reported there too.
  void place(const std::string& path, Position position);
  // What is below `path` is written one level deeper, as `path`.`member` (the value of a TypedStruct).
  void wrap(const std::string& path, std::string_view member);

  // The first fault of a path counts: what a wrong value makes wrong further on is not worth a line.
  void fault(FaultKind kind, const std::string& path, std::string message);
  void faultAt(FaultKind kind, Position position, std::string message);
  void notice(const std::string& path, std::string message);
  void noticeAt(Position position, std::string message);

  bool clean() const { return faults_.empty(); }
  size_t count() const { return faults_.size(); }

  // In the order of the text.
  std::vector<Fault> takeFaults();
  std::vector<Notice> takeNotices();

 private:
  struct Entry {
    FaultKind kind;
    std::string path;
    Position position;
    std::string message;
  };

  Position find(std::string_view path) const;
  std::string asWritten(const std::string& path) const;

  std::vector<std::string> sources_;
  std::unordered_map<std::string, Position> positions_;
  std::vector<std::pair<std::string, std::string>> wraps_;
  std::unordered_set<std::string> faulty_;
  std::vector<Entry> faults_;
  std::vector<Entry> notices_;
  size_t dropped_ = 0;
};

// A path in the configuration together with the report that its faults go to. A small value: pass it by const&.
class Place {
 public:
  Place(Report& report, std::string path) : report_(&report), path_(std::move(path)) {}

  Place field(std::string_view name) const;
  Place item(size_t index) const;
  Place item(std::string_view field_name, size_t index) const { return field(field_name).item(index); }
  Place key(std::string_view key) const;  // path["key"]

  void fault(FaultKind kind, std::string message) const { report_->fault(kind, path_, std::move(message)); }
  void unsupported(std::string_view what) const;  // "<what> is known to Envoy, but not implemented in weir yet"
  void notice(std::string message) const { report_->notice(path_, std::move(message)); }

  const std::string& path() const { return path_; }
  Report& report() const { return *report_; }

 private:
  Report* report_;
  std::string path_;
};

}  // namespace weir::config
