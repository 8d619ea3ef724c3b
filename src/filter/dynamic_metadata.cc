#include "filter/dynamic_metadata.h"

#include "base/wire.h"

namespace weir::filter {
namespace {

// Entries of a map field.
void putMap(uint32_t field, const MetadataMap& map, std::string& out) {
  for (const auto& [name, value] : map) {
    std::string entry;
    base::putField(1, name, entry);
    base::putField(2, value, entry);
    base::putField(field, entry, out);
  }
}

}  // namespace

std::string serializeMetadata(const MetadataMap& structs, const MetadataMap& typed) {
  std::string out;
  putMap(1, structs, out);
  putMap(2, typed, out);
  return out;
}

}  // namespace weir::filter
