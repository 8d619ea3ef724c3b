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

TEST(Flags, NeedsAConfiguration) { EXPECT_EQ(parseFlags({}).exit_code, 1); }

TEST(Flags, PrintsHelpAndVersionWithSuccess) {
  EXPECT_EQ(parseFlags({"--help"}).exit_code, 0);
  EXPECT_THAT(parseFlags({"--version"}).text, HasSubstr("version"));
}

}  // namespace
}  // namespace weir::cli
