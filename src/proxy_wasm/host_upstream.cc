// What Higress has added to the ABI for a stream's way to its upstream and back: the members of its cluster, which of
// them it goes to, and bytes of the plugin's own in the response.
#include "proxy_wasm/host_functions.h"
#include "proxy_wasm/pairs.h"
#include "proxy_wasm/property.h"
#include "proxy_wasm/stream_context.h"

namespace weir::proxy_wasm {
namespace {

// Longer ones are nobody's.
constexpr size_t kMaxHostAddress = 256;

// As Higress tells an endpoint. There the metrics are the body of its last health check; we keep none.
std::string_view descriptionOf(const upstream::Endpoint& endpoint) {
  switch (endpoint.state == nullptr ? upstream::Health::Healthy : upstream::healthOf(endpoint.state->flags())) {
    case upstream::Health::Healthy: return R"({"health_status":"Healthy","metrics":""})";
    case upstream::Health::Degraded: return R"({"health_status":"Degraded","metrics":""})";
    case upstream::Health::Unhealthy: return R"({"health_status":"Unhealthy","metrics":""})";
  }
  return "{}";
}

// Addresses and descriptions of the members of the stream's cluster, as pairs. NotFound: there is no stream, no route
// yet, or no such cluster.
AbiStatus getUpstreamHosts(Call& call, uint32_t out, uint32_t out_size) {
  const filter::StreamInfo* const info = call.stream() == nullptr ? nullptr : call.context().info();
  upstream::Cluster* const cluster =
      info == nullptr ? nullptr : call.vm().environment().clusters.find(clusterOf(*info));
  if (cluster == nullptr) return AbiStatus::NotFound;
  const std::vector<const upstream::Endpoint*> endpoints = cluster->endpoints();
  std::vector<std::string> addresses;
  addresses.reserve(endpoints.size());
  PairViews pairs;
  for (const upstream::Endpoint* endpoint : endpoints) {
    addresses.push_back(endpoint->address.toString());
    pairs.emplace_back(addresses.back(), descriptionOf(*endpoint));
  }
  return call.give(toPairs(pairs), out, out_size);
}

// Without a stream nothing happens. What is no address of a member, or of one that cannot serve, leaves the choice to
// the balancer; so does an empty one.
AbiStatus setUpstreamOverrideHost(Call& call, uint32_t address, uint32_t address_size) {
  const auto text = call.read(address, address_size);
  if (!text) return AbiStatus::InvalidMemoryAccess;
  filter::StreamInfo* const info = call.stream() == nullptr ? nullptr : call.context().ownInfo();
  if (info != nullptr) info->override_host = text->size() > kMaxHostAddress ? std::string_view() : *text;
  return AbiStatus::Ok;
}

// Happens when the guest has returned. Without a stream, or before its response: nothing.
AbiStatus injectEncodedData(Call& call, uint32_t body, uint32_t body_size, uint32_t end) {
  const auto bytes = call.read(body, body_size);
  if (!bytes) return AbiStatus::InvalidMemoryAccess;
  StreamContext* const stream = call.stream();
  return stream == nullptr ? AbiStatus::Ok : stream->askInject(*bytes, end != 0);
}

}  // namespace

std::vector<HostFunctionEntry> upstreamFunctions() {
  return {hostFunction<"env.proxy_get_upstream_hosts", getUpstreamHosts>(),
          hostFunction<"env.proxy_set_upstream_override_host", setUpstreamOverrideHost>(),
          hostFunction<"env.proxy_inject_encoded_data_to_filter_chain", injectEncodedData>()};
}

}  // namespace weir::proxy_wasm
