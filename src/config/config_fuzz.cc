// Any bytes as a configuration: the first byte chooses the format.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "config/convert.h"
#include "config/document.h"
#include "config/inspect.h"
#include "config/known_types.h"
#include "config/message_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir::config;
  if (size == 0) return 0;
  linkKnownTypes();
  LoadOptions options;
  options.environment = [](const std::string&) { return std::nullopt; };
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  Report report;
  const uint16_t source = report.addSource("fuzz");
  envoy::config::bootstrap::v3::Bootstrap message;
  const Place root(report, "");
  const int format = data[0] % 3;
  if (format == 2) {
    if (!message.ParseFromString(text)) return 0;
  } else {
    Node node;
    const bool read = format == 0 ? readYaml(text, source, report, node) : readJson(text, source, report, node);
    if (!read) {
      CHECK(!report.clean());
      return 0;
    }
    MessageReader(report, data[0] % 2 == 0).read(node, message, root);
  }
  inspect(message, root, false);
  const Runtime runtime;
  Conversion conversion{options, runtime, {}};
  convertBootstrap(message, root, conversion);
  for (const Fault& fault : report.takeFaults()) CHECK(!fault.message.empty());
  return 0;
}
