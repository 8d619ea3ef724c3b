// Dynamic metadata: what filters note of a stream, or of a connection, for others to read, by namespace. Kept as
// protobuf has it, because that is what its readers want: a serialized google.protobuf.Struct, or an Any.
//
// As Envoy, a request does not see what was noted of its connection: only network filters, their logs and the
// listener's do.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace weir::filter {

// By namespace.
using MetadataMap = std::map<std::string, std::string, std::less<>>;

// As a core.v3.Metadata.
std::string serializeMetadata(const MetadataMap& structs, const MetadataMap& typed);

}  // namespace weir::filter
