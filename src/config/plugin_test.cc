#include <gmock/gmock.h>

#include "config/testing.h"

namespace weir::config {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

LoadOutcome loadPlugin(const std::string& config, const std::string& vm = "") {
  Parts parts;
  parts.filters = wasmFilter(config + (config.empty() ? "" : ", ") + "vm_config: {code: {local: {inline_string: x}}" +
                             (vm.empty() ? "" : ", ") + vm + "}");
  return loadParts(parts);
}

proxy_wasm::PluginSpec spec(const LoadOutcome& outcome) {
  if (!outcome.bootstrap) ADD_FAILURE() << faults(outcome).at(0);
  return std::get<proxy_wasm::PluginSpec>(
      outcome.bootstrap->listeners.at(0).filter_chains.at(0).http->filters.at(0).filter);
}

std::string only(const LoadOutcome& outcome) {
  const std::vector<std::string> all = faults(outcome);
  EXPECT_EQ(all.size(), 1u);
  return all.empty() ? "" : all[0];
}

TEST(Plugin, AllNamesOfARuntimeMeanOurs) {
  for (const char* name : {"v8", "wasmtime", "wamr", "wavm"}) {
    EXPECT_EQ(spec(loadPlugin("", std::string("runtime: envoy.wasm.runtime.") + name)).vm.runtime,
              std::string("envoy.wasm.runtime.") + name);
  }
  EXPECT_EQ(spec(loadPlugin("")).vm.runtime, "");
  EXPECT_THAT(only(loadPlugin("", "runtime: envoy.wasm.runtime.null")),
              HasSubstr("vm_config.runtime: the null runtime runs plugins compiled into Envoy; weir has none"));
  EXPECT_THAT(only(loadPlugin("", "runtime: v9")), HasSubstr("vm_config.runtime: unknown runtime 'v9'"));
}

TEST(Plugin, EnvironmentHoldsWhatIsSetAndWhatIsGiven) {
  EXPECT_THAT(
      spec(loadPlugin("", "environment_variables: {host_env_keys: [SET, UNSET], key_values: {A: b}}")).vm.environment,
      ElementsAre(Pair("A", "b"), Pair("SET", "value")));
}

// Envoy's own words.
TEST(Plugin, EnvironmentKeysAreUnique) {
  EXPECT_THAT(only(loadPlugin("name: p", "environment_variables: {host_env_keys: [A], key_values: {A: b}}")),
              HasSubstr("Key A is duplicated in envoy.extensions.wasm.v3.VmConfig.environment_variables for p. All the "
                        "keys must be unique."));
  EXPECT_THAT(only(loadPlugin("name: p", "environment_variables: {host_env_keys: [A, A]}")),
              HasSubstr("host_env_keys[1]: Key A is duplicated"));
}

TEST(Plugin, FailurePolicies) {
  using proxy_wasm::FailurePolicy;
  EXPECT_EQ(spec(loadPlugin("")).failure_policy, FailurePolicy::Closed);
  EXPECT_EQ(spec(loadPlugin("failure_policy: FAIL_OPEN")).failure_policy, FailurePolicy::Open);
  EXPECT_FALSE(spec(loadPlugin("failure_policy: FAIL_OPEN")).legacy_fail_open);
  const auto reload = spec(loadPlugin("failure_policy: fail_reload, reload_config: {backoff: {base_interval: 2s}}"));
  EXPECT_EQ(reload.failure_policy, FailurePolicy::Reload);
  EXPECT_EQ(reload.reload_backoff, std::chrono::seconds(2));
  const LoadOutcome old = loadPlugin("fail_open: true");
  EXPECT_EQ(spec(old).failure_policy, FailurePolicy::Open);
  EXPECT_TRUE(spec(old).legacy_fail_open);
  EXPECT_THAT(notices(old), ElementsAre(HasSubstr("fail_open: deprecated in Envoy's API")));
  EXPECT_THAT(only(loadPlugin("fail_open: true, failure_policy: FAIL_OPEN")),
              HasSubstr("only one of fail_open or failure_policy can be set"));
}

TEST(Plugin, CapabilitiesOfTheVmAndOfThePlugin) {
  EXPECT_FALSE(spec(loadPlugin("")).allowed_capabilities);
  const std::string list = "capability_restriction_config: {allowed_capabilities: {proxy_log: {}, fd_write: {}}}";
  EXPECT_THAT(*spec(loadPlugin("", list)).allowed_capabilities, ElementsAre("fd_write", "proxy_log"));
  EXPECT_THAT(*spec(loadPlugin(list)).allowed_capabilities, ElementsAre("fd_write", "proxy_log"));
}

TEST(Plugin, CodeFromEachPlace) {
  const auto code = [](const std::string& local) {
    Parts parts;
    parts.filters = wasmFilter("vm_config: {code: {local: {" + local + "}}}");
    return loadParts(parts);
  };
  EXPECT_EQ(spec(code("inline_bytes: aGVsbG8=")).vm.code.bytes, "hello");
  EXPECT_EQ(spec(code("environment_variable: SET")).vm.code.bytes, "value");
  EXPECT_THAT(only(code("environment_variable: UNSET")), HasSubstr("the environment variable UNSET is not set"));
  EXPECT_THAT(only(code("inline_string: ''")), HasSubstr("holds no code"));
  EXPECT_EQ(spec(code("filename: /nowhere")).vm.code.path, "/nowhere");
}

LoadOutcome loadRemote(const std::string& more, const std::string& vm = "") {
  Parts parts;
  parts.filters = wasmFilter(
      "vm_config: {" + vm + "code: {remote: {http_uri: {uri: 'https://x/y', cluster: c, timeout: 3s}, " + more + "}}}");
  return loadParts(parts);
}

TEST(Plugin, CodeMayBeFetched) {
  const std::string digest(64, 'A');
  const auto code = spec(loadRemote("sha256: " + digest, "nack_on_code_cache_miss: true, ")).vm.code;
  EXPECT_EQ(code.kind, proxy_wasm::CodeSource::Kind::Remote);
  EXPECT_EQ(code.remote.uri, "https://x/y");
  EXPECT_EQ(code.remote.cluster, "c");
  EXPECT_EQ(code.remote.timeout, std::chrono::seconds(3));
  EXPECT_EQ(code.remote.sha256, std::string(64, 'a'));
  EXPECT_EQ(code.remote.retries, 1U);
  EXPECT_EQ(code.remote.max_interval, std::chrono::seconds(10));
  EXPECT_TRUE(code.remote.nack_on_miss);
}

TEST(Plugin, FetchesAreRepeatedAsConfigured) {
  const auto remote =
      spec(loadRemote("sha256: '" + std::string(64, '0') +
                      "', retry_policy: {num_retries: 4, retry_back_off: {base_interval: 0.2s, max_interval: 1s}}"))
          .vm.code.remote;
  EXPECT_EQ(remote.retries, 4U);
  EXPECT_EQ(remote.base_interval, std::chrono::milliseconds(200));
  EXPECT_EQ(remote.max_interval, std::chrono::seconds(1));
}

TEST(Plugin, FetchedCodeNeedsADigest) {
  EXPECT_THAT(only(loadRemote("")), HasSubstr("code.remote.sha256"));
  EXPECT_THAT(only(loadRemote("sha256: abc")), HasSubstr("code.remote.sha256: must be 64 hexadecimal digits"));
}

LoadOutcome loadImage(const std::string& uri, const std::string& more = "") {
  Parts parts;
  parts.filters =
      wasmFilter("vm_config: {code: {remote: {http_uri: {uri: '" + uri + "', cluster: c, timeout: 3s}" + more + "}}}");
  return loadParts(parts);
}

TEST(Plugin, CodeMayBeAnImageAndThenNeedsNoDigest) {
  const auto remote = spec(loadImage("oci://registry:5000/team/x:1")).vm.code.remote;
  ASSERT_TRUE(remote.image.has_value());
  EXPECT_EQ(remote.image->text(), "registry:5000/team/x:1");
  EXPECT_FALSE(remote.pinned());
  EXPECT_TRUE(spec(loadImage("oci://r/x:1", ", sha256: " + std::string(64, 'a'))).vm.code.remote.pinned());
  EXPECT_TRUE(spec(loadImage("oci://r/x@sha256:" + std::string(64, 'a'))).vm.code.remote.pinned());
}

TEST(Plugin, AnImageThatCannotBeNamedSoIsRefused) {
  EXPECT_THAT(only(loadImage("oci://r")), HasSubstr("code.remote.http_uri.uri: must be oci://registry/repository"));
  EXPECT_THAT(only(loadImage("oci://r/x", ", sha256: abc")), HasSubstr("sha256: must be 64 hexadecimal digits"));
}

TEST(Plugin, NeedsAVmAndCode) {
  Parts parts;
  parts.filters = wasmFilter("name: x");
  EXPECT_THAT(faults(parts), ::testing::Contains(HasSubstr("config.vm_config: is required")));
  parts.filters = "{name: w, typed_config: {'@type': envoy.extensions.filters.http.wasm.v3.Wasm}},";
  EXPECT_THAT(faults(parts), ::testing::Contains(HasSubstr("typed_config.config: is required")));
}

TEST(Plugin, KeepsIdentityAndSwitches) {
  const auto plugin = spec(
      loadPlugin("name: plug, root_id: r, allow_on_headers_stop_iteration: true", "vm_id: v, allow_precompiled: true"));
  EXPECT_EQ(plugin.name, "plug");
  EXPECT_EQ(plugin.root_id, "r");
  EXPECT_EQ(plugin.vm.vm_id, "v");
  EXPECT_TRUE(plugin.vm.allow_precompiled);
  EXPECT_TRUE(plugin.allow_on_headers_stop_iteration);
}

}  // namespace
}  // namespace weir::config
