#include "proxy_wasm/property.h"

#include "net/address.h"
#include "proxy_wasm/little_endian.h"
#include "proxy_wasm/root_context.h"
#include "proxy_wasm/vm.h"

namespace weir::proxy_wasm {
namespace {

AbiStatus leaf(PathRest rest, AbiStatus status) { return rest.size() == 1 ? status : AbiStatus::NotFound; }

// What the plugin knows of itself, in every context.
AbiStatus pluginProperty(Context& context, PathRest path, PropertyValue& value) {
  const std::string_view first = path.front();
  if (first == "plugin_vm_id") return leaf(path, value.text(context.vm().code().spec.vm_id));
  if (first == "plugin_vm_memory") {  // Higress'
    return leaf(path, value.number(static_cast<int64_t>(context.vm().instance().memorySize()), PropertyType::Uint));
  }
  if (RootContext* const root = context.root(); root != nullptr) {
    if (first == "plugin_name") return leaf(path, value.text(root->spec().name));
    if (first == "plugin_root_id") return leaf(path, value.text(root->spec().root_id));
  }
  if (first == "node") return value.stored(readNode(context.vm().code().node, path.subspan(1), value.storage()));
  if (first == "xds" && path.size() > 1 && path[1] == "node") {
    return value.stored(readNode(context.vm().code().node, path.subspan(2), value.storage()));
  }
  return AbiStatus::NotFound;
}

AbiStatus addressProperty(const net::Address& address, PathRest rest, PropertyValue& value) {
  if (rest.size() != 1 || address.family() == 0) return AbiStatus::NotFound;
  if (rest.front() == "address") return value.owned(address.toString());
  if (rest.front() == "port" && address.isIp()) return value.number(address.port());
  return AbiStatus::NotFound;
}

// One namespace is read where it is kept: expressions look at it once more.
AbiStatus metadataProperty(const filter::StreamInfo& info, PathRest rest, PropertyValue& value) {
  if (rest.size() < 2 || rest.front() != "filter_metadata") {
    const std::string all = filter::serializeMetadata(info.dynamic_metadata, info.typed_dynamic_metadata);
    return value.stored(readMetadata(all, rest, value.storage()));
  }
  const auto fields = info.dynamic_metadata.find(rest[1]);
  if (fields == info.dynamic_metadata.end()) return AbiStatus::NotFound;
  return value.stored(readStruct(fields->second, rest.subspan(2), value.storage()));
}

bool isFamily(std::string_view name) {
  for (const std::string_view family :
       {"request", "response", "connection", "upstream", "xds", "source", "destination"}) {
    if (name == family) return true;
  }
  return false;
}

AbiStatus streamProperty(const Subject& stream, PathRest path, PropertyValue& value) {
  const std::string_view family = path.front();
  const PathRest rest = path.subspan(1);
  const filter::StreamInfo& info = stream.info();
  if (rest.empty() && isFamily(family))
    return AbiStatus::SerializationFailure;  // As Envoy: it cannot be written whole.
  if (family == "metadata") return metadataProperty(info, rest, value);
  if (family == "request") return requestProperty(stream, rest, value);
  if (family == "response") return responseProperty(stream, rest, value);
  if (family == "connection") return connectionProperty(stream, rest, value);
  if (family == "upstream") return upstreamProperty(stream, rest, value);
  if (family == "xds") return xdsProperty(stream, rest, value);
  if (family == "source") return addressProperty(info.client, rest, value);
  if (info.connection != nullptr) {
    if (family == "destination") return addressProperty(info.connection->local, rest, value);
    if (family == "connection_id")
      return leaf(path, value.number(static_cast<int64_t>(info.connection->id), PropertyType::Uint));
  }
  if (family == "filter_state" && !rest.empty()) {
    const auto found = info.filter_state.find(rest.front());
    if (found != info.filter_state.end()) return leaf(rest, value.text(found->second));
  }
  return AbiStatus::NotFound;
}

// What plugins have set, by its first segment.
AbiStatus stateProperty(const filter::StreamInfo& info, PathRest path, PropertyValue& value) {
  if (path.size() != 1 || info.filter_state.empty()) return AbiStatus::NotFound;
  const auto found = info.filter_state.find("wasm." + std::string(path.front()));
  return found != info.filter_state.end() ? value.text(found->second) : AbiStatus::NotFound;
}

}  // namespace

AbiStatus PropertyValue::message(std::string_view view) {
  const AbiStatus status = text(view);
  type_ = PropertyType::Message;
  return status;
}

AbiStatus PropertyValue::text(std::string_view view) {
  bytes_ = view;
  type_ = PropertyType::Text;
  return AbiStatus::Ok;
}

AbiStatus PropertyValue::owned(std::string text) {
  storage_.bytes = std::move(text);
  return this->text(storage_.bytes);
}

AbiStatus PropertyValue::pairs(std::string serialized) {
  owned(std::move(serialized));
  type_ = PropertyType::Pairs;
  return AbiStatus::Ok;
}

AbiStatus PropertyValue::number(int64_t value, PropertyType type) {
  type_ = type;
  storeU64(small_.data(), static_cast<uint64_t>(value));
  bytes_ = {small_.data(), small_.size()};
  return AbiStatus::Ok;
}

AbiStatus PropertyValue::boolean(bool value) {
  type_ = PropertyType::Bool;
  small_[0] = value ? '\1' : '\0';
  bytes_ = {small_.data(), 1};
  return AbiStatus::Ok;
}

AbiStatus PropertyValue::stored(AbiStatus status) {
  bytes_ = storage_.bytes;
  type_ = storage_.type;
  return status;
}

PropertyPath::PropertyPath(std::string_view path) {
  while (!path.empty()) {
    if (count_ == kMaxSegments) {
      count_ = 0;
      return;
    }
    const size_t end = path.find('\0');
    segments_[count_++] = path.substr(0, end);
    path = end == std::string_view::npos ? std::string_view() : path.substr(end + 1);
  }
}

AbiStatus readProperty(Context& context, std::string_view path_bytes, PropertyValue& value) {
  if (path_bytes.empty()) return AbiStatus::SerializationFailure;  // As Envoy.
  const PropertyPath split(path_bytes);
  const PathRest path = split.segments();
  return path.empty() ? AbiStatus::NotFound : readProperty(context, path, value);
}

AbiStatus readProperty(Context& context, PathRest path, PropertyValue& value) {
  const AbiStatus own = pluginProperty(context, path, value);
  const filter::StreamInfo* const info = context.info();
  if (own != AbiStatus::NotFound || info == nullptr) return own;
  const Subject subject{context, *info};
  const AbiStatus known = streamProperty(subject, path, value);
  if (known != AbiStatus::NotFound) return known;
  const AbiStatus state = stateProperty(*info, path, value);
  if (state != AbiStatus::NotFound) return state;
  return xdsProperty(subject, path, value);  // The names without "xds", as of before Envoy 1.33.
}

}  // namespace weir::proxy_wasm
