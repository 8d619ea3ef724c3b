#include "filter/merge_structs.h"

#include <map>

#include "base/wire.h"

namespace weir::filter {
namespace {

using base::WireField;

constexpr int kMaxDepth = 32;

std::string merge(std::string_view fields, std::string_view added, int depth);

// One google.protobuf.Value over another.
std::string mergeValues(std::string_view value, std::string_view added, int depth) {
  const auto before = base::chosenValue(value);
  const auto after = base::chosenValue(added);
  if (depth > kMaxDepth || !before || !after || before->number != after->number) return std::string(added);
  std::string out;
  switch (after->number) {
    case base::kStructValue:
      base::putField(base::kStructValue, merge(before->bytes, after->bytes, depth + 1), out);
      return out;
    case base::kListValue:  // A repeated field: one behind the other.
      base::putField(base::kListValue, std::string(before->bytes).append(after->bytes), out);
      return out;
    default: return std::string(added);
  }
}

template <typename Take>
void eachEntry(std::string_view map, Take take) {
  base::WireReader reader(map);
  while (const auto entry = reader.next()) {
    if (entry->number != 1 || entry->kind != WireField::Kind::Bytes) continue;
    const auto key = base::lastField(entry->bytes, 1, WireField::Kind::Bytes);
    const auto value = base::lastField(entry->bytes, 2, WireField::Kind::Bytes);
    take(key ? key->bytes : std::string_view(), value ? value->bytes : std::string_view());
  }
}

void putEntry(std::string_view key, std::string_view value, std::string& out) {
  std::string entry;
  base::putField(1, key, entry);
  base::putField(2, value, entry);
  base::putField(1, entry, out);
}

std::string merge(std::string_view fields, std::string_view added, int depth) {
  std::map<std::string, std::string, std::less<>> values;
  eachEntry(fields, [&](std::string_view key, std::string_view value) { values[std::string(key)] = value; });
  eachEntry(added, [&](std::string_view key, std::string_view value) {
    const auto found = values.find(key);
    if (found == values.end()) {
      values.emplace(key, value);
    } else {
      found->second = mergeValues(found->second, value, depth);
    }
  });
  std::string out;
  for (const auto& [key, value] : values) putEntry(key, value, out);
  return out;
}

}  // namespace

std::string mergeStructs(std::string_view fields, std::string_view added) { return merge(fields, added, 0); }

}  // namespace weir::filter
