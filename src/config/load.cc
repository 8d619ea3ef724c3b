#include "config/load.h"

#include <fmt/format.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "config/convert.h"
#include "config/document.h"
#include "config/inspect.h"
#include "config/known_types.h"
#include "config/message_reader.h"

namespace weir::config {
namespace {

using BootstrapMessage = envoy::config::bootstrap::v3::Bootstrap;

class TextFaults final : public google::protobuf::io::ErrorCollector {
 public:
  TextFaults(uint16_t source, Report& report) : source_(source), report_(report) {}
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    const Position position{source_, static_cast<uint32_t>(line + 1), static_cast<uint32_t>(column + 1)};
    report_.faultAt(FaultKind::Syntax, position, message);
  }

 private:
  uint16_t source_;
  Report& report_;
};

std::optional<std::string> readFile(const std::string& path, uint16_t source, Report& report) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (file && content << file.rdbuf()) return content.str();
  if (file && file.eof()) return "";
  const int reason = errno;
  report.faultAt(FaultKind::File, {source, 0, 0},
                 fmt::format("cannot read the configuration: {}", std::strerror(reason)));
  return std::nullopt;
}

void readDocument(const Node& node, bool allow_unknown, Report& report, BootstrapMessage& out) {
  MessageReader(report, allow_unknown).read(node, out, Place(report, ""));
}

// As Envoy: the format follows from the name, and what has no known ending is YAML, of which JSON is a part.
void readByName(const std::string& path, const std::string& text, uint16_t source, bool allow_unknown, Report& report,
                BootstrapMessage& out) {
  if (path.ends_with(".pb")) {
    if (!out.ParseFromString(text)) report.faultAt(FaultKind::Syntax, {source, 0, 0}, "not a binary bootstrap message");
    return;
  }
  if (path.ends_with(".pb_text")) {
    TextFaults faults(source, report);
    google::protobuf::TextFormat::Parser parser;
    parser.RecordErrorsTo(&faults);
    parser.SetRecursionLimit(static_cast<int>(kMaxDepth));
    parser.ParseFromString(text, &out);
    return;
  }
  Node node;
  const bool read =
      path.ends_with(".json") ? readJson(text, source, report, node) : readYaml(text, source, report, node);
  if (read) readDocument(node, allow_unknown, report, out);
}

void readSources(const LoadOptions& options, Report& report, BootstrapMessage& out) {
  if (options.config_path.empty() && options.config_yaml.empty()) {
    report.faultAt(FaultKind::File, {}, "no configuration: give -c FILE or --config-yaml TEXT");
    return;
  }
  if (!options.config_path.empty()) {
    const uint16_t source = report.addSource(options.config_path);
    const std::optional<std::string> text = readFile(options.config_path, source, report);
    if (text) readByName(options.config_path, *text, source, options.allow_unknown_static_fields, report, out);
  }
  if (options.config_yaml.empty()) return;
  Node node;
  const uint16_t source = report.addSource("--config-yaml");
  if (readYaml(options.config_yaml, source, report, node)) {
    readDocument(node, options.allow_unknown_static_fields, report, out);
  }
}

void applyCommandLine(const LoadOptions& options, BootstrapMessage& out) {
  envoy::config::core::v3::Node& node = *out.mutable_node();
  if (!options.service_cluster.empty()) node.set_cluster(options.service_cluster);
  if (!options.service_node.empty()) node.set_id(options.service_node);
  if (!options.service_zone.empty()) node.mutable_locality()->set_zone(options.service_zone);
}

}  // namespace

LoadOutcome load(const LoadOptions& options) {
  linkKnownTypes();
  Report report;
  LoadOutcome outcome;
  BootstrapMessage message;
  readSources(options, report, message);
  applyCommandLine(options, message);

  // What was read is looked at even if there are faults already, so that all come in one go. Only a text that could not
  // be read at all says nothing about the rest.
  const bool readable = message.ByteSizeLong() > message.node().ByteSizeLong() || report.clean();
  if (readable) {
    const Place root(report, "");
    inspect(message, root, options.allow_unknown_static_fields);
    Conversion conversion{options, {}};
    weir::config::Bootstrap bootstrap = convertBootstrap(message, root, conversion);
    if (report.clean()) outcome.bootstrap = std::move(bootstrap);
  }
  outcome.faults = report.takeFaults();
  outcome.notices = report.takeNotices();
  return outcome;
}

}  // namespace weir::config
