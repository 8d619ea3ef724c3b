// Text in, a whole configuration out, or everything that is wrong with it.
//
// text -> document (document.h) -> Envoy's messages (message_reader.h) -> rules and support (inspect.h) -> specs
// (convert.h). Runs on one thread, blocks on the files it reads, keeps nothing.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/report.h"
#include "config/spec.h"

namespace weir::config {

struct LoadOptions {
  std::string config_path;  // -c. By extension as Envoy: .pb, .pb_text, .json, .yaml, .yml; any other is YAML.
  std::string config_yaml;  // --config-yaml, merged over the file. One of the two is needed.
  // Over what the file says, where not empty.
  std::string service_cluster;
  std::string service_node;
  std::string service_zone;
  bool allow_unknown_static_fields = false;
  // Looks up an environment variable. Default: the process's own.
  std::function<std::optional<std::string>(const std::string&)> environment;
};

struct LoadOutcome {
  std::optional<Bootstrap> bootstrap;  // Only if there is no fault.
  std::vector<Fault> faults;           // In the order of the text.
  std::vector<Notice> notices;
};

LoadOutcome load(const LoadOptions& options);

}  // namespace weir::config
