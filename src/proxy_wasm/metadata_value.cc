#include "proxy_wasm/metadata_value.h"

#include <charconv>
#include <vector>

#include "base/wire.h"
#include "proxy_wasm/little_endian.h"
#include "proxy_wasm/pairs.h"

namespace weir::proxy_wasm {
namespace {

using base::lastField;
using base::mapEntry;
using base::WireField;
using base::WireReader;
using Kind = WireField::Kind;

// Deeper nesting than this is not followed: it costs native stack per level.
constexpr int kMaxDepth = 32;

AbiStatus writeValue(std::string_view value, int depth, std::string& out);
AbiStatus readValue(std::string_view value, PathRest path, int depth, EncodedProperty& out);

// Collects names and encoded values, then writes them as pairs.
class PairCollector {
 public:
  void add(std::string_view name, std::string value) {
    names_.push_back(name);
    values_.push_back(std::move(value));
  }
  std::string take() const {
    PairViews views;
    views.reserve(names_.size());
    for (size_t i = 0; i < names_.size(); ++i) views.emplace_back(names_[i], values_[i]);
    return toPropertyPairs(views);
  }

 private:
  std::vector<std::string_view> names_;
  std::vector<std::string> values_;
};

AbiStatus writeStruct(std::string_view message, int depth, std::string& out) {
  PairCollector pairs;
  WireReader reader(message);
  while (const auto entry = reader.next()) {
    if (entry->number != 1 || entry->kind != Kind::Bytes) continue;
    const auto key = lastField(entry->bytes, 1, Kind::Bytes);
    const auto value = lastField(entry->bytes, 2, Kind::Bytes);
    std::string text;
    const AbiStatus status = writeValue(value ? value->bytes : std::string_view(), depth + 1, text);
    if (status != AbiStatus::Ok) return status;
    pairs.add(key ? key->bytes : std::string_view(), std::move(text));
  }
  out = pairs.take();
  return AbiStatus::Ok;
}

AbiStatus writeList(std::string_view message, int depth, std::string& out) {
  std::vector<std::string> elements;
  WireReader reader(message);
  while (const auto entry = reader.next()) {
    if (entry->number != 1 || entry->kind != Kind::Bytes) continue;
    const AbiStatus status = writeValue(entry->bytes, depth + 1, elements.emplace_back());
    if (status != AbiStatus::Ok) return status;
  }
  PairViews views;
  for (const std::string& element : elements) views.emplace_back(element, std::string_view());
  out = toPropertyPairs(views);
  return AbiStatus::Ok;
}

AbiStatus writeValue(std::string_view value, int depth, std::string& out) {
  if (depth > kMaxDepth) return AbiStatus::SerializationFailure;
  const auto field = base::chosenValue(value);
  if (!field) return AbiStatus::SerializationFailure;
  switch (field->number) {
    case base::kNumberValue:
      out.resize(8);
      storeU64(out.data(), field->value);
      return AbiStatus::Ok;
    case base::kStringValue: out = field->bytes; return AbiStatus::Ok;
    case base::kBoolValue: out.assign(1, field->value != 0 ? '\1' : '\0'); return AbiStatus::Ok;
    case base::kStructValue: return writeStruct(field->bytes, depth, out);
    case base::kListValue: return writeList(field->bytes, depth, out);
    default: return AbiStatus::SerializationFailure;  // Null has no encoding.
  }
}

AbiStatus readList(std::string_view message, PathRest path, int depth, EncodedProperty& out) {
  size_t index = 0;
  const std::string_view text = path.front();
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), index);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return AbiStatus::NotFound;
  WireReader reader(message);
  while (const auto entry = reader.next()) {
    if (entry->number != 1 || entry->kind != Kind::Bytes) continue;
    if (index-- == 0) return readValue(entry->bytes, path.subspan(1), depth + 1, out);
  }
  return AbiStatus::NotFound;
}

// A whole value, with its type.
AbiStatus readWhole(const WireField& field, std::string_view value, int depth, EncodedProperty& out) {
  switch (field.number) {
    case base::kNumberValue: out.type = PropertyType::Double; break;
    case base::kBoolValue: out.type = PropertyType::Bool; break;
    case base::kStructValue: out.type = PropertyType::Struct; break;
    case base::kListValue: out.type = PropertyType::List; break;
    default: out.type = PropertyType::Text;
  }
  out.source = field.bytes;
  return writeValue(value, depth, out.bytes);
}

AbiStatus readStructAt(std::string_view message, PathRest path, int depth, EncodedProperty& out) {
  if (path.empty()) {
    out.type = PropertyType::Struct;
    out.source = message;
    return writeStruct(message, depth, out.bytes);
  }
  const auto value = mapEntry(message, 1, path.front());
  if (!value) return AbiStatus::NotFound;
  return readValue(*value, path.subspan(1), depth + 1, out);
}

AbiStatus readValue(std::string_view value, PathRest path, int depth, EncodedProperty& out) {
  if (depth > kMaxDepth) return AbiStatus::NotFound;
  const auto field = base::chosenValue(value);
  if (!field) return path.empty() ? AbiStatus::SerializationFailure : AbiStatus::NotFound;
  if (path.empty()) return readWhole(*field, value, depth, out);
  if (field->number == base::kStructValue) return readStructAt(field->bytes, path, depth, out);
  if (field->number == base::kListValue) return readList(field->bytes, path, depth, out);
  return AbiStatus::NotFound;
}

AbiStatus wholeMessage(std::string_view message, EncodedProperty& out) {
  out.type = PropertyType::Message;
  out.bytes = message;
  return AbiStatus::Ok;
}

AbiStatus textField(std::string_view message, uint32_t number, PathRest path, EncodedProperty& out) {
  if (!path.empty()) return AbiStatus::NotFound;
  const auto field = lastField(message, number, Kind::Bytes);
  out.bytes = field ? field->bytes : std::string_view();
  return AbiStatus::Ok;
}

AbiStatus readLocality(std::string_view locality, PathRest path, EncodedProperty& out) {
  if (path.empty()) return wholeMessage(locality, out);
  if (path.front() == "region") return textField(locality, 1, path.subspan(1), out);
  if (path.front() == "zone") return textField(locality, 2, path.subspan(1), out);
  if (path.front() == "sub_zone") return textField(locality, 3, path.subspan(1), out);
  return AbiStatus::NotFound;
}

// Messages of any type: that there are none can be written, and nothing else.
AbiStatus readTyped(std::string_view metadata, PathRest path, EncodedProperty& out) {
  if (!path.empty()) return AbiStatus::NotFound;
  if (lastField(metadata, 2, Kind::Bytes)) return AbiStatus::SerializationFailure;
  out.bytes = toPropertyPairs({});
  out.type = PropertyType::Pairs;
  return AbiStatus::Ok;
}

}  // namespace

AbiStatus readStruct(std::string_view message, PathRest path, EncodedProperty& out) {
  return readStructAt(message, path, 0, out);
}

AbiStatus readMetadata(std::string_view metadata, PathRest path, EncodedProperty& out) {
  if (path.empty()) return wholeMessage(metadata, out);
  if (path.front() == "typed_filter_metadata") return readTyped(metadata, path.subspan(1), out);
  if (path.front() != "filter_metadata") return AbiStatus::NotFound;
  if (path.size() > 1) {
    const auto scope = mapEntry(metadata, 1, path[1]);
    if (!scope) return AbiStatus::NotFound;
    return readStructAt(*scope, path.subspan(2), 0, out);
  }
  PairCollector scopes;
  WireReader reader(metadata);
  while (const auto entry = reader.next()) {
    if (entry->number != 1 || entry->kind != Kind::Bytes) continue;
    const auto key = lastField(entry->bytes, 1, Kind::Bytes);
    const auto value = lastField(entry->bytes, 2, Kind::Bytes);
    std::string text;
    const AbiStatus status = writeStruct(value ? value->bytes : std::string_view(), 0, text);
    if (status != AbiStatus::Ok) return status;
    scopes.add(key ? key->bytes : std::string_view(), std::move(text));
  }
  out.bytes = scopes.take();
  out.type = PropertyType::Pairs;
  return AbiStatus::Ok;
}

AbiStatus readNode(std::string_view node, PathRest path, EncodedProperty& out) {
  if (path.empty()) return wholeMessage(node, out);
  const std::string_view name = path.front();
  const PathRest rest = path.subspan(1);
  if (name == "id") return textField(node, 1, rest, out);
  if (name == "cluster") return textField(node, 2, rest, out);
  if (name == "user_agent_name") return textField(node, 6, rest, out);
  if (name == "user_agent_version") return textField(node, 7, rest, out);
  if (name != "metadata" && name != "locality") return AbiStatus::NotFound;
  const auto message = lastField(node, name == "metadata" ? 3 : 4, Kind::Bytes);
  const std::string_view bytes = message ? message->bytes : std::string_view();
  return name == "metadata" ? readStruct(bytes, rest, out) : readLocality(bytes, rest, out);
}

}  // namespace weir::proxy_wasm
