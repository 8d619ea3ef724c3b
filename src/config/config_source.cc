#include "config/config_source.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "config/support.h"

namespace weir::config {
namespace {

namespace core = envoy::config::core::v3;

void checkFile(const std::string& path, const Place& place) {
  struct stat info {};
  if (stat(path.c_str(), &info) == 0) return;
  place.fault(FaultKind::File,
              fmt::format("paths must refer to an existing path in the system: '{}' does not exist", path));
}

}  // namespace

std::optional<base::FileSource> convertConfigSource(const core::ConfigSource& source, const Place& place) {
  if (source.resource_api_version() == core::V2) {
    place.field("resource_api_version").fault(FaultKind::Rule, "V2 is gone; write V3");
  }
  if (source.config_source_specifier_case() == core::ConfigSource::kPath) {
    checkFile(source.path(), place.field("path"));
    return base::FileSource{source.path(), ""};
  }
  if (source.has_path_config_source()) {
    const auto& file = source.path_config_source();
    const Place here = place.field("path_config_source");
    checkFile(file.path(), here.field("path"));
    return base::FileSource{file.path(), file.watched_directory().path()};
  }
  if (source.config_source_specifier_case() == core::ConfigSource::CONFIG_SOURCE_SPECIFIER_NOT_SET) {
    place.fault(FaultKind::Rule, "needs path_config_source");
  }
  return std::nullopt;
}

const SupportTables& discoverySupport() {
  static constexpr std::string_view kServers =
      "configuration from a management server comes later; give a file by "
      "path_config_source";
  static const SupportTables kTables{
      {"envoy.config.bootstrap.v3.Bootstrap.DynamicResources",
       {{"lds_config"}, {"cds_config"}, refused("ads_config", kServers)}},
      {"envoy.config.core.v3.ConfigSource",
       {{"path_config_source"},
        {"path"},
        {"resource_api_version"},
        noEffect("initial_fetch_timeout", "a file is read at once: there is nothing to wait for"),
        refused("api_config_source", kServers),
        refused("ads", kServers),
        refused("self", kServers)}},
      {"envoy.config.core.v3.PathConfigSource", {{"path"}, {"watched_directory"}}},
      {"envoy.config.core.v3.WatchedDirectory", {{"path"}}},
      {"envoy.service.discovery.v3.DiscoveryResponse",
       {{"version_info"},
        {"resources"},
        noEffect("type_url", "each resource says what it is"),
        noEffect("nonce", "a file is not acknowledged"),
        noEffect("canary", "there is no canary"),
        noEffect("control_plane", "it describes a management server")}},
  };
  return kTables;
}

}  // namespace weir::config
