// envoy.config.core.v3.ConfigSource: where further configuration comes from. Files only, until a later issue.
#pragma once

#include <envoy/config/core/v3/config_source.pb.h>

#include <optional>

#include "base/file_source.h"
#include "config/report.h"

namespace weir::config {

// path_config_source, or the older path. As Envoy: the file must be there. nullopt: reported, or (not reported) of a
// kind that the support tables refuse.
std::optional<base::FileSource> convertConfigSource(const envoy::config::core::v3::ConfigSource& source,
                                                    const Place& place);

}  // namespace weir::config
