// Facts about the command line.
#include "cli/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Flags, TakesEnvoysUsualCommandLine) {
  const Parsed parsed = parseFlags({"-c", "envoy.yaml", "--concurrency", "2", "-l", "debug", "--component-log-level",
                                    "wasm:trace", "--log-format", "%v", "--service-cluster", "edge"});
  ASSERT_TRUE(parsed.flags);
  EXPECT_EQ(parsed.flags->config_path, "envoy.yaml");
  EXPECT_EQ(parsed.flags->concurrency, 2u);
  EXPECT_EQ(parsed.flags->log_level, "debug");
  EXPECT_EQ(parsed.flags->component_log_level, "wasm:trace");
  EXPECT_EQ(parsed.flags->log_format, "%v");
  EXPECT_TRUE(parsed.flags->without_effect.empty());
}

TEST(Flags, TakesFlagAndValueJoinedInOneArgument) {
  const Parsed parsed = parseFlags({"--config-path /etc/envoy.yaml"});
  ASSERT_TRUE(parsed.flags);
  EXPECT_EQ(parsed.flags->config_path, "/etc/envoy.yaml");
}

TEST(Flags, SaysWhichGivenFlagsDoNothing) {
  const Parsed parsed = parseFlags({"-c", "x", "--enable-mutex-tracing", "--enable-core-dump"});
  ASSERT_TRUE(parsed.flags);
  EXPECT_THAT(parsed.flags->without_effect,
              ElementsAre(HasSubstr("--enable-core-dump"), HasSubstr("--enable-mutex-tracing")));
}

TEST(Flags, RefusesAnUnknownFlagAndAnUnknownMode) {
  EXPECT_EQ(parseFlags({"-c", "x", "--no-such-flag"}).exit_code, 1);
  EXPECT_EQ(parseFlags({"-c", "x", "--mode", "dance"}).exit_code, 1);
  EXPECT_THAT(parseFlags({"-c", "x", "--bootstrap-version", "2"}).text, HasSubstr("bootstrap-version"));
}

TEST(Flags, SayWhatPluginsMayUse) {
  const Parsed parsed = parseFlags(
      {"-c", "x", "--plugin-call-ms", "50", "--plugin-log-kb", "0", "--plugin-limit", "my:plugin:call-ms=5,metrics=3",
       "--plugin-limit", "my:plugin:queue-mb=1,body-mb=3,pause-ms=0,other-plugins=1,instance-per-stream=1,instances=7",
       "--plugin-limit=b:calls=0"});
  ASSERT_TRUE(parsed.flags) << parsed.text;
  const proxy_wasm::BudgetRules& rules = parsed.flags->plugin_limits;
  EXPECT_EQ(rules.defaults.stream_callback, std::chrono::milliseconds(50));
  EXPECT_EQ(rules.defaults.log_bytes_per_second, 0u);
  EXPECT_FALSE(rules.defaults.memory_bytes);
  const proxy_wasm::BudgetChange& named = rules.by_plugin.at("my:plugin");
  EXPECT_EQ(named.stream_callback, std::chrono::milliseconds(5));
  EXPECT_EQ(named.pause, base::Duration::zero());
  EXPECT_EQ(named.metrics, 3u);
  EXPECT_EQ(named.queue_bytes, 1u << 20);
  EXPECT_EQ(named.body_bytes, 3u << 20);
  EXPECT_EQ(named.other_plugins, true);
  EXPECT_EQ(named.instance_per_stream, true);
  EXPECT_EQ(named.instances, 7u);
  EXPECT_EQ(rules.by_plugin.at("b").pending_calls, 0u);
}

TEST(Flags, SayWhatCompilingMayCost) {
  EXPECT_EQ(parseFlags({"-c", "x"}).flags->plugin_compile_s, 30u);
  const Parsed parsed = parseFlags({"-c", "x", "--plugin-compile-s", "2", "--plugin-compile-mb", "512"});
  EXPECT_EQ(parsed.flags->plugin_compile_s, 2u);
  EXPECT_EQ(parsed.flags->plugin_compile_mb, 512u);
  EXPECT_EQ(parseFlags({"-c", "x", "--plugin-compile-s", "0"}).exit_code, 1);
}

TEST(Flags, SayHowManyInstancesOfStreamsArePooled) {
  EXPECT_EQ(parseFlags({"-c", "x"}).flags->plugin_pool, 256u);
  EXPECT_EQ(parseFlags({"-c", "x", "--plugin-pool", "0"}).flags->plugin_pool, 0u);
  EXPECT_EQ(parseFlags({"-c", "x", "--plugin-pool", "5000"}).exit_code, 1);
}

TEST(Flags, SayWhetherAStartNeedsAllPlugins) {
  EXPECT_FALSE(parseFlags({"-c", "x"}).flags->plugin_strict_start);
  EXPECT_TRUE(parseFlags({"-c", "x", "--plugin-strict-start"}).flags->plugin_strict_start);
}

TEST(Flags, SayHowManyCallsOfPluginsAreTimed) {
  EXPECT_EQ(parseFlags({"-c", "x"}).flags->plugin_time_calls, 16u);
  EXPECT_EQ(parseFlags({"-c", "x", "--plugin-time-calls", "0"}).flags->plugin_time_calls, 0u);
}

TEST(Flags, RefuseLimitsThatAreNone) {
  const auto text = [](const char* limit) { return parseFlags({"-c", "x", "--plugin-limit", limit}).text; };
  EXPECT_THAT(text("p"), HasSubstr("--plugin-limit: expected NAME:KEY=VALUE, found 'p'"));
  EXPECT_THAT(text("p:cpu=1"), HasSubstr("--plugin-limit p: expected KEY=VALUE, KEY one of call-ms, start-ms"));
  EXPECT_THAT(text("p:call-ms=0"), HasSubstr("call-ms must be a number from 1 to 3600000; found '0'"));
  EXPECT_THAT(text("p:call-ms=1s"), HasSubstr("found '1s'"));
  EXPECT_EQ(parseFlags({"-c", "x", "--plugin-call-ms", "0"}).exit_code, 1);
}

TEST(Flags, NameTheClustersOfOtherHostsOfRegistries) {
  const Parsed parsed = parseFlags({"--oci-host", "Auth.example=auth", "--oci-host=storage:9000=s", "-c", "x"});
  ASSERT_TRUE(parsed.flags) << parsed.text;
  const std::map<std::string, std::string> expected{{"auth.example", "auth"}, {"storage:9000", "s"}};
  EXPECT_EQ(parsed.flags->oci_hosts, expected);
  EXPECT_EQ(parsed.flags->oci_pull_policy, std::nullopt);
  EXPECT_EQ(parseFlags({"-c", "x", "--oci-pull-policy", "always"}).flags->oci_pull_policy,
            proxy_wasm::PullPolicy::Always);
  for (const char* bad : {"a", "=b", "a="}) {
    EXPECT_THAT(parseFlags({"-c", "x", "--oci-host", bad}).text, HasSubstr("must be HOST=CLUSTER")) << bad;
  }
}

TEST(Flags, NeedsAConfiguration) { EXPECT_EQ(parseFlags({}).exit_code, 1); }

TEST(Flags, PrintsHelpAndVersionWithSuccess) {
  EXPECT_EQ(parseFlags({"--help"}).exit_code, 0);
  EXPECT_THAT(parseFlags({"--version"}).text, HasSubstr("version"));
}

}  // namespace
}  // namespace weir::cli
