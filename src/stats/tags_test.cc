// What is taken out of names; by Envoy 1.40's output.
#include "stats/tags.h"

#include <gmock/gmock.h>

namespace weir::stats {
namespace {

std::string shown(const TagExtractor& extractor, std::string_view name) {
  const TaggedName tagged = extractor.extract(name);
  std::string text = tagged.name;
  for (const Tag& tag : tagged.tags) text += " " + tag.name + "=" + tag.value;
  return text;
}

std::string byDefault(std::string_view name) { return shown(*TagExtractor::create({}, true, {}), name); }

TEST(DefaultTags, ClustersAndResponseCodes) {
  EXPECT_EQ(byDefault("cluster.web.upstream_cx_total"), "cluster.upstream_cx_total envoy.cluster_name=web");
  EXPECT_EQ(byDefault("cluster.web.upstream_rq_200"),
            "cluster.upstream_rq envoy.response_code=200 envoy.cluster_name=web");
  EXPECT_EQ(byDefault("cluster.web.upstream_rq_2xx"),
            "cluster.upstream_rq_xx envoy.response_code_class=2 envoy.cluster_name=web");
  EXPECT_EQ(byDefault("cluster.web.external.upstream_rq_completed"),
            "cluster.external.upstream_rq_completed envoy.cluster_name=web");
  EXPECT_EQ(byDefault("cluster_manager.active_clusters"), "cluster_manager.active_clusters");
}

TEST(DefaultTags, ADotEndsAName) {
  EXPECT_EQ(byDefault("cluster.up.dotted.upstream_cx_total"), "cluster.dotted.upstream_cx_total envoy.cluster_name=up");
  EXPECT_EQ(byDefault("http.ingress.x.no_route"), "http.x.no_route envoy.http_conn_manager_prefix=ingress");
}

TEST(DefaultTags, ListenersAndConnectionManagers) {
  EXPECT_EQ(byDefault("http.ingress.downstream_rq_xx"), "http.downstream_rq_xx envoy.http_conn_manager_prefix=ingress");
  EXPECT_EQ(byDefault("listener.127.0.0.1_80.downstream_cx_total"),
            "listener.downstream_cx_total envoy.listener_address=127.0.0.1_80");
  EXPECT_EQ(byDefault("listener.[__1]_80.downstream_cx_total"),
            "listener.downstream_cx_total envoy.listener_address=[__1]_80");
  EXPECT_EQ(byDefault("listener.lstat.downstream_cx_total"),
            "listener.downstream_cx_total envoy.listener_address=lstat");
  EXPECT_EQ(byDefault("listener.admin.downstream_cx_total"), "listener.admin.downstream_cx_total");
  EXPECT_EQ(byDefault("listener.127.0.0.1_80.http.in.downstream_rq_5xx"),
            "listener.http.downstream_rq_xx envoy.response_code_class=5 envoy.http_conn_manager_prefix=in "
            "envoy.listener_address=127.0.0.1_80");
  EXPECT_EQ(byDefault("listener.127.0.0.1_80.worker_3.downstream_cx_total"),
            "listener.worker.downstream_cx_total envoy.worker_id=3 envoy.listener_address=127.0.0.1_80");
  EXPECT_EQ(byDefault("server.worker_0.watchdog_miss"), "server.worker.watchdog_miss envoy.worker_id=0");
}

TEST(DefaultTags, VirtualHosts) {
  EXPECT_EQ(byDefault("vhost.v.route.r.upstream_rq_total"),
            "vhost.route.upstream_rq_total envoy.virtual_host=v envoy.route=r");
  EXPECT_EQ(byDefault("vhost.v.vcluster.other.upstream_rq_503"),
            "vhost.vcluster.upstream_rq envoy.response_code=503 envoy.virtual_cluster=other envoy.virtual_host=v");
}

// Envoy has none of these; what it has of plugins looks as there.
TEST(DefaultTags, OurStatsOfPluginsHaveThePluginAndItsCallback) {
  EXPECT_EQ(byDefault("wasm.my.auth.call.proxy_on_log.time_ns"),
            "wasm.call.time_ns wasm.plugin=my.auth wasm.callback=proxy_on_log");
  EXPECT_EQ(byDefault("wasm.auth.fault_deadline"), "wasm.fault_deadline wasm.plugin=auth");
  EXPECT_EQ(byDefault("wasm.auth.memory_bytes"), "wasm.memory_bytes wasm.plugin=auth");
  EXPECT_EQ(byDefault("wasm.auth.breaker_open"), "wasm.breaker_open wasm.plugin=auth");
  EXPECT_EQ(byDefault("wasm.auth.degraded"), "wasm.degraded wasm.plugin=auth");
  EXPECT_EQ(byDefault("wasm.auth.load_failures"), "wasm.load_failures wasm.plugin=auth");
  EXPECT_EQ(byDefault("wasm.vm_memory_bytes"), "wasm.vm_memory_bytes");
  EXPECT_EQ(byDefault("wasm.auth.vm_reload_success"), "wasm.auth.vm_reload_success");
  EXPECT_EQ(byDefault("wasm.envoy.wasm.runtime.v8.active"), "wasm.envoy.wasm.runtime.v8.active");
}

TEST(OwnTags, OneGroupIsBothCutAndValue) {
  const auto extractor = TagExtractor::create({{"one", "_(http1)_"}, {"none", "cx"}}, true, {});
  EXPECT_EQ(shown(*extractor, "cluster.c.upstream_cx_http1_total"),
            "cluster.upstream_cx__total one=http1 envoy.cluster_name=c");
}

TEST(OwnTags, TheFirstOfOneNameCountsAndOverlapsAreCutOnce) {
  const auto extractor =
      TagExtractor::create({{"v", "(_a=([a-z]+))"}, {"v", "(_b=([a-z]+))"}, {"w", "(=x_b=y)"}}, false, {});
  EXPECT_EQ(shown(*extractor, "m_a=x_b=y"), "m v=x w==x_b=y");
}

TEST(OwnTags, AGroupOutsideTheMatchTakesNothing) {
  const auto extractor = TagExtractor::create({{"v", "x|(y)"}}, false, {});
  EXPECT_EQ(shown(*extractor, "axb"), "axb");
}

TEST(OwnTags, ABuiltInRuleCanBeChosenByName) {
  const auto extractor = TagExtractor::create({{"envoy.cluster_name", ""}}, false, {{"site", "x"}});
  EXPECT_EQ(shown(*extractor, "cluster.c.upstream_rq_200"), "cluster.upstream_rq_200 envoy.cluster_name=c site=x");
}

TEST(OwnTags, WhatCannotWorkIsRefused) {
  EXPECT_FALSE(TagExtractor::create({{"", "(a)"}}, true, {}).ok());
  EXPECT_FALSE(TagExtractor::create({{"x", "(a"}}, true, {}).ok());
  EXPECT_FALSE(TagExtractor::create({{"x", ""}}, true, {}).ok());
  EXPECT_FALSE(TagExtractor::create({{"x", "(?=a)"}}, true, {}).ok());
  EXPECT_FALSE(TagExtractor::create({}, true, {{"", "v"}}).ok());
}

}  // namespace
}  // namespace weir::stats
