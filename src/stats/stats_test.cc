// Counters, gauges, histograms, and the forms they are shown in; expected texts are Envoy 1.40's.
#include "stats/stats.h"

#include <gmock/gmock.h>

#include <thread>

#include "stats/json_string.h"

namespace weir::stats {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string text(const Store& store, std::string filter = "", bool used_only = false) {
  return *store.text({.filter = std::move(filter), .used_only = used_only});
}

TEST(Store, GivesTheSameStatForTheSameName) {
  Store store;
  Counter& counter = store.counter("a");
  counter.add(2);
  EXPECT_EQ(&store.counter("a"), &counter);
  EXPECT_EQ(store.counter("a").value(), 2u);
  store.gauge("a").set(-1);
  EXPECT_EQ(counter.value(), 2u);
}

TEST(Store, CountsWhatManyThreadsAdd) {
  Store store;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&store] {
      for (int n = 0; n < 1000; ++n) {
        store.counter("c" + std::to_string(n % 7)).add();
        store.histogram("h").record(n);
      }
      EXPECT_TRUE(store.prometheus({}).ok());
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(store.counter("c0").value(), 4u * 143);
  EXPECT_EQ(store.histogram("h").count(), 4000u);
  EXPECT_EQ(store.histogram("h").sum(), 4u * 499'500);
}

TEST(Store, ResetsCountersAlone) {
  Store store;
  store.counter("c").add(3);
  store.gauge("g").set(4);
  store.resetCounters();
  EXPECT_EQ(text(store), "c: 0\ng: 4\n");
}

TEST(Histogram, KnowsTwoDecimalDigits) {
  Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.5), 0);
  histogram.record(1);
  EXPECT_DOUBLE_EQ(histogram.quantile(0), 1.05);
  EXPECT_DOUBLE_EQ(histogram.quantile(1), 1.05);
}

TEST(Histogram, SpreadsValuesOverTheirBucket) {
  Histogram histogram;
  for (int i = 0; i < 3; ++i) {
    histogram.record(0);
    histogram.record(99);
    histogram.record(105);
  }
  EXPECT_DOUBLE_EQ(histogram.quantile(0), 0);
  EXPECT_DOUBLE_EQ(histogram.quantile(0.25), 0);
  EXPECT_DOUBLE_EQ(histogram.quantile(0.5), 99.5);
  EXPECT_DOUBLE_EQ(histogram.quantile(0.75), 102.5);
  EXPECT_DOUBLE_EQ(histogram.quantile(1), 107.5);
  EXPECT_EQ(histogram.countAtMost(0.5), 3u);
  EXPECT_EQ(histogram.countAtMost(98), 3u);
  EXPECT_EQ(histogram.countAtMost(99), 6u);
  EXPECT_EQ(histogram.countAtMost(100), 9u);  // To the bucket: 105 is in that of 100.
}

TEST(Histogram, TakesEveryValueThereIs) {
  Histogram histogram;
  histogram.record(UINT64_MAX);
  EXPECT_NEAR(histogram.quantile(0.5), 1.85e19, 1e17);
  uint64_t power = 1;
  for (int i = 0; i < 19; ++i, power *= 10) {
    histogram.record(power);
    histogram.record(power * 9 + (power - 1));
  }
  EXPECT_EQ(histogram.count(), 39u);
  EXPECT_EQ(histogram.countAtMost(1e18), 37u);
}

TEST(Text, ListsValuesByNameAndHistogramsAfterThem) {
  Store store;
  store.counter("b").add(2);
  store.gauge("a").set(-5);
  store.gauge("c");
  store.histogram("0.time");
  store.histogram("0.used").record(7);
  EXPECT_EQ(text(store),
            "a: -5\nb: 2\nc: 0\n0.time: No recorded values\n"
            "0.used: P0(nan,7.05) P25(nan,7.05) P50(nan,7.05) P75(nan,7.05) P90(nan,7.05) P95(nan,7.05) P99(nan,7.05) "
            "P99.5(nan,7.05) P99.9(nan,7.05) P100(nan,7.05)\n");
}

TEST(Text, ShowsTheLastIntervalBesideTheWhole) {
  Store store;
  store.histogram("t").record(1);
  store.closeInterval();
  EXPECT_THAT(text(store), StartsWith("t: P0(1.05,1.05)"));
  store.histogram("t").record(2);
  store.closeInterval();
  EXPECT_THAT(text(store), StartsWith("t: P0(2.05,1.05)"));
  store.closeInterval();
  EXPECT_THAT(text(store), StartsWith("t: P0(nan,1.05)"));
}

TEST(Views, FilterByExpressionUseAndKind) {
  Store store;
  store.counter("cluster.web.total").add();
  store.counter("cluster.web.never");
  store.gauge("cluster.web.active").add();
  store.gauge("cluster.web.active").sub();
  store.histogram("cluster.web.time");
  EXPECT_EQ(text(store, "web.t"), "cluster.web.total: 1\ncluster.web.time: No recorded values\n");
  EXPECT_EQ(text(store, "", true), "cluster.web.active: 0\ncluster.web.total: 1\n");
  EXPECT_EQ(*store.text({.kind = Store::Kind::Gauges}), "cluster.web.active: 0\n");
  const auto refused = store.text({.filter = "("});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().detail, "Invalid re2 regex: missing ): (");
  EXPECT_EQ(refused.error().side, base::Side::Client);
}

TEST(Json, HasValuesAndQuantiles) {
  Store store;
  EXPECT_EQ(*store.json({}), R"({"stats":[]})");
  store.counter("we ird\"x").add();
  EXPECT_EQ(*store.json({}), R"({"stats":[{"name":"we ird\"x","value":1}]})");
  store.histogram("t").record(0);
  EXPECT_THAT(*store.json({.filter = "t$"}),
              StartsWith(R"({"stats":[{"histograms":{"supported_quantiles":[0,25,50,75,90,95,99,99.5,99.9,100],)"
                         R"("computed_quantiles":[{"name":"t","values":[{"cumulative":0,"interval":null},)"));
}

TEST(Json, StringsAreValidWhateverAPluginCallsItsMetric) {
  EXPECT_EQ(jsonString("a\"\\\n\x01/"), "\"a\\\"\\\\\\n\\u0001/\"");
  EXPECT_EQ(jsonString("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
  EXPECT_EQ(
      jsonString("\xff\xc0\x80\xed\xa0\x80\xe2\x82"), "\"" + [] {
        std::string eight;
        for (int i = 0; i < 8; ++i) eight += "\\ufffd";
        return eight;
      }() + "\"");
}

TEST(Prometheus, TagsComeOutOfNames) {
  Store store;
  store.counter("cluster.web.upstream_rq_200").add(4);
  store.counter("cluster.other.upstream_rq_200");
  store.gauge("cluster_manager.active_clusters").set(2);
  EXPECT_EQ(*store.prometheus({}),
            "# TYPE envoy_cluster_upstream_rq counter\n"
            "envoy_cluster_upstream_rq{envoy_response_code=\"200\",envoy_cluster_name=\"other\"} 0\n"
            "envoy_cluster_upstream_rq{envoy_response_code=\"200\",envoy_cluster_name=\"web\"} 4\n"
            "# TYPE envoy_cluster_manager_active_clusters gauge\n"
            "envoy_cluster_manager_active_clusters{} 2\n");
}

TEST(Prometheus, PluginMetricsHaveTheirOwnNamesAndTags) {
  Store store;
  ASSERT_TRUE(store
                  .setTagRules({{"value", "(_value=([a-zA-Z]+))"}, {"reporter", "(_reporter=([a-zA-Z]+))"}}, true,
                               {{"fixed-tag", "fi\"x\\e\nd"}})
                  .ok());
  store.counter("wasmcustom.custom_header_value_counts_value=foo_reporter=wasmgosdk").add(3);
  EXPECT_EQ(*store.prometheus({}),
            "# TYPE custom_header_value_counts counter\n"
            "custom_header_value_counts{value=\"foo\",reporter=\"wasmgosdk\",fixed_tag=\"fi\\\"x\\\\e\\nd\"} 3\n");
}

TEST(Prometheus, APluginsNamesAreSanitisedOrLeftOut) {
  Store store;
  store.counter("wasmcustom.9lead").add();
  store.counter("wasmcustom.").add();
  store.gauge("wasmcustom.x-y.z<b>&\"q\n").set(5);
  EXPECT_EQ(*store.prometheus({}), "# TYPE x_y_z_b___q_ gauge\nx_y_z_b___q_{} 5\n");
}

TEST(Prometheus, NoFamilyHasTwoTypesAndNoSeriesOccursTwice) {
  Store store;
  store.gauge("server.live").set(1);
  store.counter("wasmcustom.envoy_server_live").add(7);  // A plugin cannot take the proxy's name.
  store.counter("wasmcustom.a.b").add(1);
  store.counter("wasmcustom.a_b").add(2);
  store.gauge("wasmcustom.a-b").set(3);
  EXPECT_EQ(*store.prometheus({}),
            "# TYPE a_b counter\na_b{} 1\n# TYPE envoy_server_live gauge\nenvoy_server_live{} 1\n");
}

TEST(Prometheus, HistogramsAreCumulativeBuckets) {
  Store store;
  for (const int value : {0, 1, 99, 105, 4'000'000}) store.histogram("cluster.c.t").record(value);
  const std::string page = *store.prometheus({});
  EXPECT_THAT(page, StartsWith("# TYPE envoy_cluster_t histogram\n"
                               "envoy_cluster_t_bucket{envoy_cluster_name=\"c\",le=\"0.5\"} 1\n"
                               "envoy_cluster_t_bucket{envoy_cluster_name=\"c\",le=\"1\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("le=\"50\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("le=\"100\"} 4\n"));
  EXPECT_THAT(page, HasSubstr("le=\"3600000\"} 4\n"
                              "envoy_cluster_t_bucket{envoy_cluster_name=\"c\",le=\"+Inf\"} 5\n"
                              "envoy_cluster_t_sum{envoy_cluster_name=\"c\"} 4000205\n"
                              "envoy_cluster_t_count{envoy_cluster_name=\"c\"} 5\n"));
  store.histogram("wasmcustom.h");
  EXPECT_THAT(*store.prometheus({}), HasSubstr("h_bucket{le=\"0.5\"} 0\n"));
  EXPECT_THAT(*store.prometheus({.used_only = true}), Not(HasSubstr("h_bucket")));
}

}  // namespace
}  // namespace weir::stats
