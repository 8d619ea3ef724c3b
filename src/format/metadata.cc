#include "format/metadata.h"

#include <bit>
#include <map>

#include "base/wire.h"
#include "format/json_text.h"
#include "format/tables.h"

namespace weir::format {
namespace {

using base::WireField;
using base::WireReader;

constexpr int kMaxDepth = 32;

bool appendValue(std::string_view value, bool bare, int depth, std::string& out);

// The keys come sorted, because the configuration was serialized so; entries of a later same key win by their order.
bool appendStruct(std::string_view fields, int depth, std::string& out) {
  out += '{';
  bool first = true;
  WireReader reader(fields);
  while (const auto entry = reader.next()) {
    if (entry->number != 1 || entry->kind != WireField::Kind::Bytes) continue;
    const auto key = base::lastField(entry->bytes, 1, WireField::Kind::Bytes);
    const auto value = base::lastField(entry->bytes, 2, WireField::Kind::Bytes);
    if (!first) out += ',';
    first = false;
    appendJsonString(key ? key->bytes : std::string_view(), out);
    out += ':';
    if (!appendValue(value ? value->bytes : std::string_view(), false, depth + 1, out)) return false;
  }
  out += '}';
  return true;
}

bool appendList(std::string_view list, int depth, std::string& out) {
  out += '[';
  bool first = true;
  WireReader reader(list);
  while (const auto entry = reader.next()) {
    if (entry->number != 1 || entry->kind != WireField::Kind::Bytes) continue;
    if (!first) out += ',';
    first = false;
    if (!appendValue(entry->bytes, false, depth + 1, out)) return false;
  }
  out += ']';
  return true;
}

bool appendValue(std::string_view value, bool bare, int depth, std::string& out) {
  if (depth > kMaxDepth) return false;
  const auto field = base::chosenValue(value);
  if (!field) return put(out, "null");
  switch (field->number) {
    case base::kNumberValue: appendJsonNumber(std::bit_cast<double>(field->value), out); return true;
    case base::kStringValue:
      if (bare) {
        out += field->bytes;
      } else {
        appendJsonString(field->bytes, out);
      }
      return true;
    case base::kBoolValue: return put(out, field->value != 0 ? "true" : "false");
    case base::kStructValue: return appendStruct(field->bytes, depth, out);
    case base::kListValue: return appendList(field->bytes, depth, out);
    default: return put(out, "null");
  }
}

// ---- Operators

using Kind = Operator::Kind;
using Parameter = RowWithParameter::Parameter;
// The Struct of a filter, from wherever a kind of metadata is kept.
using FindStruct = std::optional<std::string_view> (*)(const Entry&, std::string_view filter);

std::optional<std::string_view> in(const std::shared_ptr<const std::string>& metadata, std::string_view filter) {
  return metadata == nullptr ? std::nullopt : structOf(*metadata, filter);
}
std::optional<std::string_view> dynamicStruct(const Entry& e, std::string_view filter) {
  const auto found = e.info.dynamic_metadata.find(filter);
  return found == e.info.dynamic_metadata.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}
std::optional<std::string_view> clusterStruct(const Entry& e, std::string_view filter) {
  return e.info.upstream ? in(e.info.upstream->cluster_metadata, filter) : std::nullopt;
}
std::optional<std::string_view> hostStruct(const Entry& e, std::string_view filter) {
  return e.info.upstream ? in(e.info.upstream->endpoint_metadata, filter) : std::nullopt;
}
std::optional<std::string_view> routeStruct(const Entry& e, std::string_view filter) {
  return structOf(e.info.route_metadata, filter);
}
std::optional<std::string_view> virtualHostStruct(const Entry& e, std::string_view filter) {
  return structOf(e.info.virtual_host_metadata, filter);
}
std::optional<std::string_view> listenerStruct(const Entry& e, std::string_view filter) {
  return e.info.connection == nullptr ? std::nullopt : structOf(e.info.connection->listener_metadata, filter);
}
std::optional<std::string_view> filterChainStruct(const Entry& e, std::string_view filter) {
  return e.info.connection == nullptr ? std::nullopt : structOf(e.info.connection->filter_chain_metadata, filter);
}

// A length cuts the text, whatever it is, and never a JSON value.
Operator makeOperator(FindStruct find, std::string_view path_text, std::optional<size_t> length) {
  std::vector<std::string> path = splitPath(path_text);
  const std::string filter = path.front();
  path.erase(path.begin());
  const auto found = [find, filter, path](const Entry& entry) -> std::optional<MetadataValue> {
    const auto fields = find(entry, filter);
    return fields ? follow(*fields, path) : std::nullopt;
  };
  const auto append = [found, length](const Entry& entry, std::string& out, bool bare) {
    const auto value = found(entry);
    if (!value) return false;
    const size_t before = out.size();
    if (!appendMetadata(*value, bare, out)) {
      out.resize(before);
      return false;
    }
    if (bare && length && out.size() - before > *length) out.resize(before + *length);
    return true;
  };
  return {Kind::Json, [append](const Entry& entry, std::string& out) { return append(entry, out, true); },
          [append](const Entry& entry, std::string& out) { return append(entry, out, false); }};
}

// The older form for header values: ["namespace", "key"].
bool isOldForm(std::string_view text) { return text.starts_with('['); }

template <FindStruct kFind>
base::Result<Operator> createFor(const Command& command) {
  if (isOldForm(*command.parameter)) {
    return refused(std::string(command.name) +
                   ": the form [\"namespace\", \"key\"] is deprecated; write namespace:key");
  }
  return makeOperator(kFind, *command.parameter, command.length);
}

// "TYPE:NAMESPACE:KEY..."
base::Result<Operator> createMetadata(const Command& command) {
  constexpr std::pair<std::string_view, FindStruct> kKinds[] = {
      {"DYNAMIC", dynamicStruct},          {"CLUSTER", clusterStruct},   {"ROUTE", routeStruct},
      {"UPSTREAM_HOST", hostStruct},       {"LISTENER", listenerStruct}, {"LISTENER_FILTER_CHAIN", filterChainStruct},
      {"VIRTUAL_HOST", virtualHostStruct},
  };
  const std::string_view text = *command.parameter;
  const size_t colon = text.find(':');
  for (const auto& [name, find] : kKinds) {
    if (text.substr(0, colon) != name) continue;
    const std::string_view path = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
    return makeOperator(find, path, command.length);
  }
  return refused(std::string(text.substr(0, colon)) + " is not supported type of metadata");
}

constexpr RowWithParameter kRows[] = {
    {"METADATA", Parameter::Required, true, createMetadata},
    {"DYNAMIC_METADATA", Parameter::Required, true, createFor<dynamicStruct>},
    {"CLUSTER_METADATA", Parameter::Required, true, createFor<clusterStruct>},
    {"UPSTREAM_METADATA", Parameter::Required, true, createFor<hostStruct>},
};

}  // namespace

std::vector<std::string> splitPath(std::string_view text) {
  std::vector<std::string> path;
  while (true) {
    const size_t colon = text.find(':');
    path.emplace_back(text.substr(0, colon));
    if (colon == std::string_view::npos) return path;
    text.remove_prefix(colon + 1);
  }
}

std::optional<std::string_view> structOf(std::string_view metadata, std::string_view filter) {
  return base::mapEntry(metadata, 1, filter);
}

std::optional<MetadataValue> follow(std::string_view fields, std::span<const std::string> path) {
  if (path.empty()) return MetadataValue{fields, true};
  for (size_t i = 0;; ++i) {
    const auto value = base::mapEntry(fields, 1, path[i]);
    if (!value) return std::nullopt;
    if (i + 1 == path.size()) return MetadataValue{*value, false};
    const auto inner = base::chosenValue(*value);
    if (!inner || inner->number != base::kStructValue) return std::nullopt;
    fields = inner->bytes;
  }
}

bool appendMetadata(const MetadataValue& value, bool bare, std::string& out) {
  return value.whole ? appendStruct(value.bytes, 0, out) : appendValue(value.bytes, bare, 0, out);
}

std::span<const RowWithParameter> metadataRows() { return kRows; }

}  // namespace weir::format
