// Filters on the upstream's side: a cluster's http_filters and the router's upstream_http_filters.
#include <gmock/gmock.h>

#include "config/testing.h"

namespace weir::config {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::faults;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::loadParts;
using testing::Parts;

const std::string kType = "'@type': type.googleapis.com/envoy.extensions.";
const std::string kCodec = "{name: codec, typed_config: {" + kType + "filters.http.upstream_codec.v3.UpstreamCodec}}";
const std::string kRouter = "{name: router, typed_config: {" + kType + "filters.http.router.v3.Router}}";
const std::string kPlugin = testing::wasmFilter("name: up, vm_config: {code: {local: {inline_string: '(module)'}}}");

Parts ofCluster(const std::string& filters) {
  Parts parts;
  parts.cluster = "typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {" +
                  kType + "upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {http_protocol_options: {}}, " +
                  "http_filters: [" + filters + "]}}";
  return parts;
}

Parts ofRouter(const std::string& filters) {
  Parts parts;
  parts.router = "{name: envoy.filters.http.router, typed_config: {" + kType +
                 "filters.http.router.v3.Router, upstream_http_filters: [" + filters + "]}}";
  return parts;
}

const std::vector<exchange::HttpFilterSpec>& filtersIn(const std::shared_ptr<const upstream::HttpFilters>& filters) {
  static const std::vector<exchange::HttpFilterSpec> kNone;
  const auto* read = dynamic_cast<const exchange::UpstreamFilterSpecs*>(filters.get());
  return read == nullptr ? kNone : read->filters;
}

TEST(UpstreamFilters, OfAClusterAreReadWithoutTheCodec) {
  const LoadOutcome outcome = loadParts(ofCluster(kPlugin + kCodec));
  ASSERT_THAT(faults(outcome), IsEmpty());
  const auto& filters = filtersIn(outcome.bootstrap->clusters.at(0).http_filters);
  ASSERT_EQ(filters.size(), 1u);
  EXPECT_EQ(filters[0].name, "wasm");
  EXPECT_EQ(std::get<proxy_wasm::PluginSpec>(filters[0].filter).name, "up");
  EXPECT_THAT(filters[0].path, HasSubstr("static_resources.clusters[0]"));
}

TEST(UpstreamFilters, OfTheRouterAreReadWithoutTheCodec) {
  const LoadOutcome outcome = loadParts(ofRouter(kPlugin + kCodec));
  ASSERT_THAT(faults(outcome), IsEmpty());
  const auto& chain = outcome.bootstrap->listeners.at(0).filter_chains.at(0).http->filters;
  const auto& filters = filtersIn(std::get<exchange::RouterFilterSpec>(chain.at(0).filter).upstream_filters);
  ASSERT_EQ(filters.size(), 1u);
  EXPECT_EQ(filters[0].name, "wasm");
}

// Whoever configures the codec alone wants no filters; whoever configures nothing leaves it to the router.
TEST(UpstreamFilters, MayBeNoneOnPurpose) {
  EXPECT_EQ(loadParts(ofCluster("")).bootstrap->clusters.at(0).http_filters, nullptr);
  EXPECT_NE(loadParts(ofCluster(kCodec)).bootstrap->clusters.at(0).http_filters, nullptr);
}

TEST(UpstreamFilters, MayBeDisabledUntilARouteWantsThem) {
  std::string disabled = kPlugin;
  disabled.insert(1, "disabled: true, ");
  const LoadOutcome outcome = loadParts(ofCluster(disabled + kCodec));
  ASSERT_THAT(faults(outcome), IsEmpty());
  EXPECT_TRUE(filtersIn(outcome.bootstrap->clusters.at(0).http_filters).at(0).disabled);
}

TEST(UpstreamFilters, EndWithTheCodecAndHaveItOnce) {
  for (const auto of : {ofCluster, ofRouter}) {
    EXPECT_THAT(faults(of(kPlugin)), ElementsAre(HasSubstr("must be envoy.filters.http.upstream_codec")));
    EXPECT_THAT(faults(of(kCodec + "," + kPlugin + kCodec)),
                ElementsAre(HasSubstr("envoy.filters.http.upstream_codec must be the last filter")));
    EXPECT_THAT(faults(of(kPlugin + "{disabled: true, " + kCodec.substr(1))),
                ElementsAre(HasSubstr("the codec cannot be disabled")));
  }
}

TEST(UpstreamFilters, HaveNoRouterAmongThem) {
  for (const auto of : {ofCluster, ofRouter}) {
    EXPECT_THAT(faults(of(kRouter + "," + kCodec)), Contains(HasSubstr("the router is no filter towards an upstream")));
  }
}

TEST(UpstreamFilters, AreNamedWhereTheyAreWrong) {
  EXPECT_THAT(faults(ofCluster("{name: x}," + kCodec)), ElementsAre(HasSubstr("http_filters[0]")));
  EXPECT_THAT(faults(ofRouter("{name: x}," + kCodec)), ElementsAre(HasSubstr("upstream_http_filters[0]")));
}

}  // namespace
}  // namespace weir::config
