// connection.*, upstream.* and xds.*: from what the connection, the endpoint and the route say.
#include <algorithm>

#include "base/wire.h"
#include "proxy_wasm/property.h"
#include "proxy_wasm/vm.h"
#include "route/spec.h"

namespace weir::proxy_wasm {
namespace {

AbiStatus address(const net::Address& address, PropertyValue& value) {
  return address.family() != 0 ? value.owned(address.toString()) : AbiStatus::NotFound;
}

AbiStatus metadata(const std::string* serialized, PathRest rest, PropertyValue& value) {
  if (serialized == nullptr) return value.stored(readMetadata({}, rest, value.storage()));
  return value.stored(readMetadata(*serialized, rest, value.storage()));
}

AbiStatus clusterProperty(const Subject& stream, PathRest rest, PropertyValue& value) {
  const std::string_view name = clusterOf(stream.info());
  if (name.empty()) return AbiStatus::NotFound;
  if (rest.front() == "cluster_name") return rest.size() == 1 ? value.text(name) : AbiStatus::NotFound;
  upstream::Cluster* const cluster = stream.vm().environment().clusters.find(name);
  if (cluster == nullptr) return AbiStatus::NotFound;
  return metadata(cluster->metadata().get(), rest.subspan(1), value);
}

AbiStatus routeProperty(const filter::StreamInfo& info, PathRest rest, PropertyValue& value) {
  const std::string_view name = rest.front();
  const PathRest more = rest.subspan(1);
  if (info.route != nullptr) {
    if (name == "route_name" && more.empty()) return value.text(info.route->name);
    if (name == "route_metadata") return metadata(&info.route->metadata, more, value);
  }
  if (info.virtual_host != nullptr) {
    if (name == "virtual_host_name" && more.empty()) return value.text(info.virtual_host->name);
    if (name == "virtual_host_metadata") return metadata(&info.virtual_host->metadata, more, value);
  }
  return AbiStatus::NotFound;
}

// What Envoy reads off a TLS connection, ours with a client as ours with an upstream.
AbiStatus tlsProperty(const net::TlsInfo* tls, std::string_view name, PropertyValue& value) {
  if (tls == nullptr) return AbiStatus::NotFound;
  const auto first = [&value](const std::vector<std::string>& texts) {
    return texts.empty() ? AbiStatus::NotFound : value.text(texts.front());
  };
  if (name == "tls_version") return value.text(tls->version);
  if (name == "subject_local_certificate") return value.text(tls->local.subject);
  if (name == "subject_peer_certificate") return value.text(tls->peer.subject);
  if (name == "uri_san_local_certificate") return first(tls->local.uri_sans);
  if (name == "uri_san_peer_certificate") return first(tls->peer.uri_sans);
  if (name == "dns_san_local_certificate") return first(tls->local.dns_sans);
  if (name == "dns_san_peer_certificate") return first(tls->peer.dns_sans);
  if (name == "sha256_peer_certificate_digest")
    return tls->peer.sha256.empty() ? AbiStatus::NotFound : value.text(tls->peer.sha256);
  return AbiStatus::NotFound;
}

// envoy.config.core.v3.Locality, or one of its names.
AbiStatus localityProperty(const std::string* serialized, PathRest rest, PropertyValue& value) {
  const std::string_view message = serialized != nullptr ? std::string_view(*serialized) : std::string_view();
  if (rest.empty()) return value.message(message);
  constexpr std::string_view kNames[] = {"region", "zone", "sub_zone"};
  const auto name = std::find(std::begin(kNames), std::end(kNames), rest.front());
  if (rest.size() != 1 || name == std::end(kNames)) return AbiStatus::NotFound;
  const auto number = static_cast<uint32_t>(name - std::begin(kNames)) + 1;
  const auto field = base::lastField(message, number, base::WireField::Kind::Bytes);
  return value.text(field ? field->bytes : std::string_view());
}

// As Envoy: where there is none it is null, which has no form.
AbiStatus metadataOrNull(const std::string* serialized, PathRest rest, PropertyValue& value) {
  if (serialized == nullptr && rest.empty()) return AbiStatus::SerializationFailure;
  return metadata(serialized, rest, value);
}

}  // namespace

// The cluster is known as soon as the route is.
std::string_view clusterOf(const filter::StreamInfo& info) {
  if (info.upstream) return info.upstream->cluster;
  if (!info.chosen_cluster.empty()) return info.chosen_cluster;
  return info.route != nullptr && info.route->forward ? std::string_view(info.route->forward->cluster)
                                                      : std::string_view();
}

AbiStatus connectionProperty(const Subject& stream, PathRest rest, PropertyValue& value) {
  static const filter::ConnectionInfo kNone;  // As Envoy: a call of our own comes from nobody, without TLS.
  const filter::ConnectionInfo* connection = stream.info().connection;
  if (rest.size() != 1) return AbiStatus::NotFound;
  const std::string_view name = rest.front();
  if (connection == nullptr && name == "id") return AbiStatus::NotFound;
  if (connection == nullptr) connection = &kNone;
  if (name == "id") return value.number(static_cast<int64_t>(connection->id), PropertyType::Uint);
  if (name == "mtls") return value.boolean(connection->tls != nullptr && connection->tls->peer_certificate_presented);
  if (name == "requested_server_name") return value.text(connection->requested_server_name);
  return tlsProperty(connection->tls.get(), name, value);
}

AbiStatus upstreamProperty(const Subject& stream, PathRest rest, PropertyValue& value) {
  const auto& upstream = stream.info().upstream;
  if (rest.empty()) return AbiStatus::NotFound;
  const std::string_view name = rest.front();
  if (name == "locality" && upstream) return localityProperty(upstream->locality.get(), rest.subspan(1), value);
  if (rest.size() != 1) return AbiStatus::NotFound;
  if (name == "request_attempt_count") return value.number(upstream ? upstream->attempts : 0, PropertyType::Uint);
  // As Envoy: a proxied connection has an upstream from its beginning.
  if (!upstream && !stream.info().is_http && name == "transport_failure_reason") return value.text({});
  if (!upstream) return AbiStatus::NotFound;
  if (name == "address") return address(upstream->remote, value);
  if (name == "port") return upstream->remote.isIp() ? value.number(upstream->remote.port()) : AbiStatus::NotFound;
  if (name == "local_address") return address(upstream->local, value);
  if (name == "transport_failure_reason") return value.text(upstream->failure_reason);
  if (name == "cx_pool_ready_duration") {
    if (!upstream->pool_ready) return AbiStatus::NotFound;
    return value.number(upstream->pool_ready->count(), PropertyType::Duration);
  }
  return tlsProperty(upstream->tls.get(), name, value);
}

AbiStatus xdsProperty(const Subject& stream, PathRest rest, PropertyValue& value) {
  if (rest.empty()) return AbiStatus::NotFound;
  const std::string_view name = rest.front();
  const PathRest more = rest.subspan(1);
  const filter::StreamInfo& info = stream.info();
  if (const AbiStatus of_route = routeProperty(info, rest, value); of_route != AbiStatus::NotFound) return of_route;
  if (name == "cluster_name" || name == "cluster_metadata") return clusterProperty(stream, rest, value);
  if (info.upstream && name == "upstream_host_metadata") {
    return metadataOrNull(info.upstream->endpoint_metadata.get(), more, value);
  }
  if (info.upstream && name == "upstream_host_locality_metadata") {
    return metadataOrNull(info.upstream->locality_metadata.get(), more, value);
  }
  if (info.connection == nullptr) {
    return name == "filter_chain_name" && more.empty() ? value.text({}) : AbiStatus::NotFound;
  }
  if (name == "listener_metadata") return metadata(&info.connection->listener_metadata, more, value);
  if (name == "listener_direction" && more.empty()) return value.number(info.connection->listener_direction);
  if (name == "filter_chain_name" && more.empty()) {
    return value.text(info.connection->filter_chain_name);
  }
  return AbiStatus::NotFound;
}

}  // namespace weir::proxy_wasm
