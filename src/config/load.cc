#include "config/load.h"

#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>

#include "config/convert.h"
#include "config/document.h"
#include "config/inspect.h"
#include "config/known_types.h"
#include "config/message_file.h"
#include "config/message_reader.h"

namespace weir::config {
namespace {

using BootstrapMessage = envoy::config::bootstrap::v3::Bootstrap;

void readDocument(const Node& node, bool allow_unknown, Report& report, BootstrapMessage& out) {
  MessageReader(report, allow_unknown).read(node, out, Place(report, ""));
}

bool readSources(const LoadOptions& options, Report& report, BootstrapMessage& out) {
  const bool allow_unknown = options.allow_unknown_static_fields;
  if (options.config_path.empty() && options.config_yaml.empty()) {
    report.faultAt(FaultKind::File, {}, "no configuration: give -c FILE or --config-yaml TEXT");
    return false;
  }
  bool readable = true;
  if (!options.config_path.empty()) {
    readable = readMessageFile(options.config_path, allow_unknown, report, out);
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
    const Runtime runtime = Runtime::read(message.layered_runtime(), root.field("layered_runtime"));
    Conversion conversion{options, runtime, {}};
    BootstrapMessage effective = message;
    runtime.apply(effective);
    weir::config::Bootstrap bootstrap = convertBootstrap(effective, root, conversion);
    dumpBootstrap(message, bootstrap);
    runtime.noteUnused();
    if (report.clean()) outcome.bootstrap = std::move(bootstrap);
  }
  outcome.faults = report.takeFaults();
  outcome.notices = report.takeNotices();
  return outcome;
}

}  // namespace weir::config
