// What the filter envoy.filters.http.set_metadata is told.
#pragma once

#include <string>
#include <vector>

namespace weir::filter {

// Plain data, after envoy.extensions.filters.http.set_metadata.v3.
struct SetMetadataSpec {
  struct Entry {
    std::string name_space;
    bool allow_overwrite = false;  // Merged with what is there already of that namespace; else that stays as it is.
    std::string fields;            // Serialized google.protobuf.Struct.
  };
  std::vector<Entry> entries;  // In this order.
};

}  // namespace weir::filter
