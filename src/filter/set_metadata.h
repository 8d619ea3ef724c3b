// The filter envoy.filters.http.set_metadata: notes what its configuration says as dynamic metadata of each request, as
// its headers come by.
#pragma once

#include <memory>
#include <string>

#include "filter/filter.h"
#include "filter/set_metadata_spec.h"
#include "stats/stats.h"

namespace weir::filter {

// name: as configured. denied: overwriting that was not allowed (http.<stat_prefix>.set_metadata.overwrite_denied). The
// spec and the counter must outlive the factory.
std::unique_ptr<FilterFactory> setMetadata(std::string name, const SetMetadataSpec& spec, stats::Counter& denied);

}  // namespace weir::filter
