#include "config/load.h"

#include <fmt/format.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/text_format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

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

// The configuration may come through a pipe, so its size is not known before.
std::optional<std::string> readFile(const std::string& path, uint16_t source, Report& report) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  std::string content;
  while (file && content.size() <= kMaxDocumentBytes) {
    char block[64 * 1024];
    const size_t got = std::fread(block, 1, sizeof(block), file.get());
    if (got == 0) break;
    content.append(block, got);
  }
  if (file && std::ferror(file.get()) == 0) return content;  // Too much of it is refused by who reads it.
  const int reason = errno;
  report.faultAt(FaultKind::File, {source, 0, 0},
                 fmt::format("cannot read the configuration: {}", std::strerror(reason)));
  return std::nullopt;
}

void readDocument(const Node& node, bool allow_unknown, Report& report, BootstrapMessage& out) {
  MessageReader(report, allow_unknown).read(node, out, Place(report, ""));
}

// As Envoy: the format follows from the name, and what has no known ending is YAML, of which JSON is a part.
// False: the text could not be read as what it claims to be.
bool readByName(const std::string& path, const std::string& text, uint16_t source, bool allow_unknown, Report& report,
                BootstrapMessage& out) {
  if (text.size() > kMaxDocumentBytes) {
    report.faultAt(FaultKind::Limit, {source, 0, 0}, fmt::format("larger than {} bytes", kMaxDocumentBytes));
    return false;
  }
  if (path.ends_with(".pb")) {
    if (out.ParseFromString(text)) return true;
    report.faultAt(FaultKind::Syntax, {source, 0, 0}, "not a binary bootstrap message");
    return false;
  }
  if (path.ends_with(".pb_text")) {
    TextFaults faults(source, report);
    google::protobuf::TextFormat::Parser parser;
    parser.RecordErrorsTo(&faults);
    parser.SetRecursionLimit(static_cast<int>(kMaxDepth));
    return parser.ParseFromString(text, &out);
  }
  Node node;
  const bool read =
      path.ends_with(".json") ? readJson(text, source, report, node) : readYaml(text, source, report, node);
  if (read) readDocument(node, allow_unknown, report, out);
  return read;
}

bool readSources(const LoadOptions& options, Report& report, BootstrapMessage& out) {
  const bool allow_unknown = options.allow_unknown_static_fields;
  if (options.config_path.empty() && options.config_yaml.empty()) {
    report.faultAt(FaultKind::File, {}, "no configuration: give -c FILE or --config-yaml TEXT");
    return false;
  }
  bool readable = true;
  if (!options.config_path.empty()) {
    const uint16_t source = report.addSource(options.config_path);
    const std::optional<std::string> text = readFile(options.config_path, source, report);
    readable = text && readByName(options.config_path, *text, source, allow_unknown, report, out);
  }
  if (!options.config_yaml.empty()) {
    Node node;
    const uint16_t source = report.addSource("--config-yaml");
    const bool read = readYaml(options.config_yaml, source, report, node);
    if (read) readDocument(node, allow_unknown, report, out);
    readable = readable && read;
  }
  return readable;
}

void applyCommandLine(const LoadOptions& options, BootstrapMessage& out) {
  envoy::config::core::v3::Node& node = *out.mutable_node();
  if (!options.service_cluster.empty()) node.set_cluster(options.service_cluster);
  if (!options.service_node.empty()) node.set_id(options.service_node);
  if (!options.service_zone.empty()) node.mutable_locality()->set_zone(options.service_zone);
  if (node.user_agent_name().empty())
    node.set_user_agent_name("envoy");  // As Envoy; plugins and control planes read it.
}

}  // namespace

LoadOutcome load(const LoadOptions& options) {
  google::protobuf::SetLogHandler(nullptr);  // It would write to stderr what stands in the faults, or in nobody's way.
  linkKnownTypes();
  Report report;
  LoadOutcome outcome;
  BootstrapMessage message;
  // What was read is looked at even if there are faults already, so that all come in one go. Only a text that could not
  // be read at all says nothing about the rest.
  if (readSources(options, report, message)) {
    applyCommandLine(options, message);
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
