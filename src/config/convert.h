// From Envoy's messages to the specs of the folders above. One function per message; each reports what it cannot take
// and returns the rest, so that all faults come in one go. Protobuf ends here.
#pragma once

#include <envoy/config/bootstrap/v3/bootstrap.pb.h>
#include <envoy/config/cluster/v3/cluster.pb.h>
#include <envoy/config/core/v3/address.pb.h>
#include <envoy/config/core/v3/base.pb.h>
#include <envoy/config/listener/v3/listener.pb.h>
#include <envoy/config/route/v3/route.pb.h>
#include <envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h>
#include <envoy/extensions/transport_sockets/tls/v3/tls.pb.h>
#include <envoy/extensions/upstreams/http/v3/http_protocol_options.pb.h>
#include <envoy/extensions/wasm/v3/wasm.pb.h>
#include <envoy/type/matcher/v3/regex.pb.h>
#include <envoy/type/matcher/v3/string.pb.h>
#include <envoy/type/v3/percent.pb.h>
#include <google/protobuf/any.pb.h>
#include <google/protobuf/duration.pb.h>
#include <weir/plugins/v1/limits.pb.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/load.h"
#include "config/report.h"
#include "config/runtime.h"
#include "config/spec.h"

namespace weir::config {

// What converters need beside the message, and what they note for the checks that need the whole configuration.
struct Conversion {
  const LoadOptions& options;
  const Runtime& runtime;

  struct ClusterReference {
    std::string cluster;
    Place place;
  };
  std::vector<ClusterReference> cluster_references;
  // static_resources.secrets, by name.
  std::map<std::string, envoy::extensions::transport_sockets::tls::v3::Secret> secrets{};
  // Of all plugins met so far.
  mutable std::set<std::string, std::less<>> plugin_names{};
};

Bootstrap convertBootstrap(const envoy::config::bootstrap::v3::Bootstrap& bootstrap, const Place& place,
                           Conversion& conversion);
// The dumps of a bootstrap, as it was written.
void dumpBootstrap(const envoy::config::bootstrap::v3::Bootstrap& bootstrap, Bootstrap& out);
listener::ChainMatch convertChainMatch(const envoy::config::listener::v3::FilterChainMatch& match, const Place& place);
// Whether a matcher can be made of them: no connection may fit two alike.
void checkChainMatches(const std::vector<FilterChainSpec>& chains, const Place& place);
// listener_filters and what goes with them.
void convertListenerFilters(const envoy::config::listener::v3::Listener& listener, const Place& place,
                            ListenerSpec& spec);
// The filters of a chain: into http or network_filters.
void convertNetworkFilters(const envoy::config::listener::v3::FilterChain& chain, const Place& place,
                           FilterChainSpec& spec, Conversion& conversion);
ListenerSpec convertListener(const envoy::config::listener::v3::Listener& listener, const Place& place,
                             Conversion& conversion);
exchange::HttpManagerSpec convertHttpManager(
    const envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager& manager,
    const Place& place, Conversion& conversion);
std::vector<exchange::HttpFilterSpec> convertHttpFilters(
    const envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager& manager,
    const Place& place, Conversion& conversion);
route::RouteConfig convertRouteConfig(const envoy::config::route::v3::RouteConfiguration& config, const Place& place,
                                      Conversion& conversion);
upstream::ClusterSpec convertCluster(const envoy::config::cluster::v3::Cluster& cluster, const Place& place,
                                     const Conversion& conversion);
tls::ServerSpec convertDownstreamTls(const envoy::extensions::transport_sockets::tls::v3::DownstreamTlsContext& context,
                                     const Place& place, const Conversion& conversion);
tls::ClientSpec convertUpstreamTls(const envoy::extensions::transport_sockets::tls::v3::UpstreamTlsContext& context,
                                   const Place& place, const Conversion& conversion);
// The endpoints of a cluster of this type: those in its configuration, or what EDS says of them.
upstream::Assignment convertAssignment(const envoy::config::endpoint::v3::ClusterLoadAssignment& assignment,
                                       upstream::Discovery discovery, const Place& place);
void convertBreakers(const envoy::config::cluster::v3::CircuitBreakers& breakers, const Place& place,
                     upstream::ClusterSpec& spec);
// The filters on the upstream's side, of the field of that name; the last is the codec, which is left out of what is
// returned. Null where there are none.
using UpstreamHttpFilters =
    google::protobuf::RepeatedPtrField<envoy::extensions::filters::network::http_connection_manager::v3::HttpFilter>;
std::shared_ptr<const upstream::HttpFilters> convertUpstreamFilters(const UpstreamHttpFilters& filters,
                                                                    std::string_view name, const Place& place,
                                                                    const Conversion& conversion);
// HttpProtocolOptions of a cluster, into its spec.
void convertUpstreamHttp(const envoy::extensions::upstreams::http::v3::HttpProtocolOptions& options, const Place& place,
                         const Conversion& conversion, upstream::ClusterSpec& spec);
void convertUpstreamCommon(const envoy::config::core::v3::HttpProtocolOptions& options, const Place& place,
                           upstream::ClusterSpec& spec);
void convertUpstreamSni(const envoy::config::core::v3::UpstreamHttpProtocolOptions& options,
                        upstream::ClusterSpec& spec);
// Http1ProtocolOptions towards upstream: what a client has no use for is a notice, the rest refused.
http2::Settings convertHttp2(const envoy::config::core::v3::Http2ProtocolOptions& options, const Place& place,
                             const http2::Settings& defaults);
void convertUpstreamHttp1(const envoy::config::core::v3::Http1ProtocolOptions& options, const Place& place,
                          upstream::ClusterSpec& spec);
proxy_wasm::PluginSpec convertPlugin(const envoy::extensions::wasm::v3::PluginConfig& plugin, const Place& place,
                                     const Conversion& conversion);
// A bootstrap extension of ours.
proxy_wasm::BudgetRules convertPluginLimits(const weir::plugins::v1::PluginLimits& limits, const Place& place);

// Parts of the above.
route::PathMatch convertPath(const envoy::config::route::v3::RouteMatch& match, const Place& place);
route::HeaderMatch convertHeaderMatch(const envoy::config::route::v3::HeaderMatcher& matcher, const Place& place);
void convertMatch(const envoy::config::route::v3::RouteMatch& match, const Place& place, route::Route& route);
// 0 to 1.
double convertFraction(const envoy::type::v3::FractionalPercent& fraction);
route::StringMatch convertString(const envoy::type::matcher::v3::StringMatcher& matcher, const Place& place);
// Also checks that the expression compiles.
std::string convertRegex(const envoy::type::matcher::v3::RegexMatcher& matcher, const Place& place);
route::RegexRewrite convertRewrite(const envoy::type::matcher::v3::RegexMatchAndSubstitute& rewrite,
                                   const Place& place);
route::RouteAction convertRouteAction(const envoy::config::route::v3::RouteAction& action, const Place& place,
                                      Conversion& conversion);
std::optional<route::HashPolicy> convertHashPolicy(const envoy::config::route::v3::RouteAction::HashPolicy& policy,
                                                   const Place& place);
route::RetryPolicy convertRetryPolicy(const envoy::config::route::v3::RetryPolicy& policy, const Place& place);
route::RedirectAction convertRedirect(const envoy::config::route::v3::RedirectAction& action, const Place& place);

}  // namespace weir::config
