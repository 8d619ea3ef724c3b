#include "config/load.h"

#include <envoy/config/bootstrap/v3/bootstrap.pb.h>
#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>
#include <udpa/type/v1/typed_struct.pb.h>

#include <filesystem>
#include <fstream>

#include "config/testing.h"

namespace weir::config {
namespace {

using namespace testing;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A file that is gone when the test is over.
class File {
 public:
  File(const std::string& name, const std::string& content) : path_(::testing::TempDir() + "weir_config_" + name) {
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~File() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

LoadOutcome loadFile(const std::string& name, const std::string& content, const std::string& overlay = "") {
  const File file(name, content);
  LoadOptions options;
  options.config_path = file.path();
  options.config_yaml = overlay;
  return load(options);
}

// The example of the blog post, with the plugin's code in place.
constexpr char kHello[] = R"(static_resources:
  listeners:
  - name: main
    address: {socket_address: {address: 127.0.0.1, port_value: 10000}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ingress_http
          codec_type: AUTO
          route_config:
            name: local_route
            virtual_hosts:
            - name: local_service
              domains: ["*"]
              routes:
              - match: {prefix: "/"}
                route: {cluster: web_service}
          http_filters:
          - name: envoy.filters.http.wasm
            typed_config:
              "@type": type.googleapis.com/udpa.type.v1.TypedStruct
              type_url: type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
              value:
                config:
                  name: "my_plugin"
                  root_id: "my_root_id"
                  vm_config:
                    vm_id: "my_vm_id"
                    runtime: "envoy.wasm.runtime.v8"
                    code: {local: {inline_string: "code"}}
                    allow_precompiled: true
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
  - name: web_service
    connect_timeout: 0.25s
    type: STATIC
    lb_policy: ROUND_ROBIN
    load_assignment:
      cluster_name: web_service
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 8080}}}
)";

void expectHello(const LoadOutcome& outcome) {
  ASSERT_TRUE(outcome.bootstrap) << outcome.faults.at(0).text();
  const Bootstrap& bootstrap = *outcome.bootstrap;
  ASSERT_EQ(bootstrap.listeners.size(), 1u);
  EXPECT_EQ(bootstrap.listeners[0].address.toString(), "127.0.0.1:10000");
  const exchange::HttpManagerSpec& http = bootstrap.listeners[0].filter_chains.at(0).http.value();
  EXPECT_EQ(http.stat_prefix, "ingress_http");
  EXPECT_EQ(http.routes.virtual_hosts.at(0).routes.at(0).forward->cluster, "web_service");
  ASSERT_EQ(http.filters.size(), 2u);
  const auto& plugin = std::get<proxy_wasm::PluginSpec>(http.filters[0].filter);
  EXPECT_EQ(plugin.name, "my_plugin");
  EXPECT_EQ(plugin.root_id, "my_root_id");
  EXPECT_EQ(plugin.vm.vm_id, "my_vm_id");
  EXPECT_EQ(plugin.vm.code.bytes, "code");
  EXPECT_TRUE(plugin.vm.allow_precompiled);
  EXPECT_TRUE(std::holds_alternative<exchange::RouterFilterSpec>(http.filters[1].filter));
  EXPECT_EQ(bootstrap.clusters.at(0).connect_timeout, std::chrono::milliseconds(250));
  EXPECT_EQ(bootstrap.clusters[0].assignment.endpoints.at(0).port, 8080);
}

envoy::config::bootstrap::v3::Bootstrap helloMessage() {
  const LoadOutcome outcome = loadFile("hello.yaml", kHello);
  envoy::config::bootstrap::v3::Bootstrap message;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(outcome.bootstrap.value().dump, &message).ok());
  return message;
}

TEST(Load, ReadsTheBlogPostsYaml) {
  const LoadOutcome outcome = loadFile("hello.yaml", kHello);
  expectHello(outcome);
  EXPECT_THAT(outcome.notices, IsEmpty());
}

TEST(Load, ReadsJsonWithItsOwnDumpAsInput) {
  const LoadOutcome outcome = loadFile("hello.yaml", kHello);
  ASSERT_TRUE(outcome.bootstrap);
  EXPECT_THAT(outcome.bootstrap->dump, HasSubstr("\"static_resources\":"));
  expectHello(loadFile("hello.json", outcome.bootstrap->dump));
  // JSON under a name that says nothing is YAML too.
  expectHello(loadFile("hello.conf", outcome.bootstrap->dump));
}

TEST(Load, ReadsBinaryAndTextProtobuf) {
  const auto message = helloMessage();
  expectHello(loadFile("hello.pb", message.SerializeAsString()));
  std::string text;
  ASSERT_TRUE(google::protobuf::TextFormat::PrintToString(message, &text));
  expectHello(loadFile("hello.pb_text", text));
}

TEST(Load, UnwrapsATypedStructInBinaryForm) {
  auto message = helloMessage();
  udpa::type::v1::TypedStruct typed;
  typed.set_type_url(
      "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager");
  google::protobuf::Struct& value = *typed.mutable_value();
  (*value.mutable_fields())["stat_prefix"].set_string_value("x");
  (*value.mutable_fields())["max_request_headers_kb"].set_number_value(0);
  message.mutable_static_resources()
      ->mutable_listeners(0)
      ->mutable_filter_chains(0)
      ->mutable_filters(0)
      ->mutable_typed_config()
      ->PackFrom(typed);
  EXPECT_THAT(
      faults(loadFile("typed.pb", message.SerializeAsString())),
      Contains(std::string(kManager) + ".value.max_request_headers_kb: must be greater than 0 and at most 8192, is "
                                       "0"));
}

TEST(Load, RefusesUnknownFieldsOfABinaryMessage) {
  auto message = helloMessage();
  message.GetReflection()->MutableUnknownFields(&message)->AddVarint(12345, 1);
  EXPECT_THAT(faults(loadFile("unknown.pb", message.SerializeAsString())),
              ElementsAre(": holds unknown fields (the first has the number 12345)"));
}

TEST(Load, SaysWhatIsNoText) {
  EXPECT_THAT(loadFile("bad.pb", "\xff\xff").faults.at(0).message, "not a binary Bootstrap message");
  const LoadOutcome text = loadFile("bad.pb_text", "node {\n  idd: \"x\"\n}\n");
  EXPECT_EQ(text.faults.at(0).line, 2u);
  EXPECT_THAT(text.faults.at(0).message, HasSubstr("has no field named \"idd\""));
  EXPECT_EQ(loadFile("bad.json", "{\n 'a': 1}").faults.at(0).line, 2u);
  EXPECT_EQ(loadFile("empty.yaml", "").faults.at(0).message, "the document is empty");
}

TEST(Load, ReportsAMissingFileAndNoConfigurationAtAll) {
  LoadOptions options;
  EXPECT_EQ(load(options).faults.at(0).text(), "no configuration: give -c FILE or --config-yaml TEXT");
  options.config_path = "/nowhere/x.yaml";
  EXPECT_EQ(load(options).faults.at(0).text(),
            "/nowhere/x.yaml: cannot read the configuration: No such file or directory");
}

TEST(Load, MergesConfigYamlOverTheFile) {
  const LoadOutcome outcome = loadFile("hello.yaml", kHello, R"(
node: {id: over}
static_resources:
  clusters: [{name: second, typed_extension_protocol_options: {}}]
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 9901}}}
)");
  ASSERT_TRUE(outcome.bootstrap) << outcome.faults.at(0).text();
  ASSERT_EQ(outcome.bootstrap->clusters.size(), 2u);
  EXPECT_EQ(outcome.bootstrap->clusters[1].name, "second");
  EXPECT_EQ(outcome.bootstrap->node_id, "over");
  EXPECT_TRUE(outcome.bootstrap->admin.address);
}

TEST(Load, PlacesFaultsOfTheOverlayInIt) {
  const LoadOutcome outcome =
      loadFile("hello.yaml", kHello, "static_resources:\n  clusters: [{name: x, type: ORIGINAL_DST}]");
  ASSERT_EQ(outcome.faults.size(), 1u);
  EXPECT_THAT(outcome.faults[0].text(),
              HasSubstr("--config-yaml:2:30: static_resources.clusters[1].type: type ORIGINAL_DST is"));
}

TEST(Load, LetsTheCommandLineSpeakLast) {
  LoadOptions options;
  options.config_yaml = "node: {id: a, cluster: b, locality: {zone: z, region: r}}";
  options.service_node = "n";
  options.service_zone = "y";
  const LoadOutcome outcome = load(options);
  ASSERT_TRUE(outcome.bootstrap);
  EXPECT_EQ(outcome.bootstrap->node_id, "n");
  EXPECT_EQ(outcome.bootstrap->node_cluster, "b");
  envoy::config::core::v3::Node node;
  ASSERT_TRUE(node.ParseFromString(outcome.bootstrap->node));
  EXPECT_EQ(node.locality().zone(), "y");
  EXPECT_EQ(node.locality().region(), "r");
}

}  // namespace
}  // namespace weir::config
