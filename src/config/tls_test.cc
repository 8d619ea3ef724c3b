// TLS contexts and secrets.
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "config/secret_file.h"
#include "config/testing.h"

namespace weir::config {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kUpstream =
    "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";

Parts upstreamTls(const std::string& members, const std::string& rest = "") {
  Parts parts;
  parts.cluster = fmt::format("transport_socket: {{name: t, typed_config: {{'@type': {}, {}}}}}", kUpstream, members);
  parts.rest = rest;
  return parts;
}
tls::ClientSpec upstreamOf(const std::string& members, const std::string& rest = "") {
  const LoadOutcome outcome = loadParts(upstreamTls(members, rest));
  if (!outcome.bootstrap) ADD_FAILURE() << faults(outcome).at(0);
  return outcome.bootstrap ? outcome.bootstrap->clusters.at(0).tls.value() : tls::ClientSpec();
}

TEST(UpstreamTls, ArrivesInTheSpec) {
  const auto spec = upstreamOf(
      "sni: a.example, auto_host_sni: true, max_session_keys: 4, common_tls_context: {alpn_protocols: [h2], "
      "tls_params: {tls_minimum_protocol_version: TLSv1_3, cipher_suites: [A, B], ecdh_curves: [P-256]}, "
      "tls_certificates: [{certificate_chain: {filename: /c}, private_key: {inline_string: k}, password: "
      "{environment_variable: SET}}], validation_context: {trusted_ca: {filename: /ca}, allow_expired_certificate: "
      "true, trust_chain_verification: ACCEPT_UNTRUSTED, max_verify_depth: 2, match_typed_subject_alt_names: "
      "[{san_type: URI, matcher: {prefix: 'spiffe://'}}]}}");
  EXPECT_EQ(spec.sni, "a.example");
  EXPECT_TRUE(spec.auto_host_sni);
  EXPECT_EQ(spec.max_session_keys, 4u);
  EXPECT_EQ(spec.alpn, std::vector<std::string>{"h2"});
  EXPECT_EQ(spec.parameters.min, tls::Version::Tls13);
  EXPECT_EQ(spec.parameters.ciphers, (std::vector<std::string>{"A", "B"}));
  EXPECT_EQ(spec.certificates.at(0).chain.file, "/c");
  EXPECT_EQ(spec.certificates.at(0).key.bytes, "k");
  EXPECT_EQ(spec.certificates.at(0).password.bytes, "value");
  EXPECT_EQ(spec.validation->trusted_ca.file, "/ca");
  EXPECT_TRUE(spec.validation->allow_expired);
  EXPECT_TRUE(spec.validation->accept_untrusted);
  EXPECT_EQ(spec.validation->max_depth, 2u);
  EXPECT_EQ(spec.validation->sans.at(0).type, tls::SanMatcher::Type::Uri);
  EXPECT_EQ(spec.validation->sans.at(0).rule.form, tls::StringRule::Form::Prefix);
}

TEST(UpstreamTls, TakesStaticSecretsByName) {
  const std::string secrets =
      "  secrets: [{name: mine, tls_certificate: {certificate_chain: {inline_string: c}, private_key: {inline_string: "
      "k}}}, {name: ca, validation_context: {trusted_ca: {inline_string: r}}}]";
  const auto spec = upstreamOf(
      "common_tls_context: {tls_certificate_sds_secret_configs: [{name: mine}], combined_validation_context: "
      "{default_validation_context: {max_verify_depth: 3}, validation_context_sds_secret_config: {name: ca}}}",
      secrets);
  EXPECT_EQ(spec.certificates.at(0).chain.bytes, "c");
  EXPECT_EQ(spec.validation->trusted_ca.bytes, "r");
  EXPECT_EQ(spec.validation->max_depth, 3u);
  EXPECT_FALSE(spec.validation_secret);
}

TEST(UpstreamTls, NamesWhatIsWrong) {
  const std::string at = std::string(kCluster) + ".transport_socket.typed_config.";
  EXPECT_THAT(faults(upstreamTls("common_tls_context: {tls_certificate_sds_secret_configs: [{name: none}]}")),
              ElementsAre(at + "common_tls_context.tls_certificate_sds_secret_configs[0].name: unknown static secret "
                               "'none'"));
  EXPECT_THAT(faults(upstreamTls("common_tls_context: {tls_certificates: [{certificate_chain: {inline_string: c}}]}")),
              ElementsAre(at + "common_tls_context.tls_certificates[0].private_key: is required"));
  EXPECT_THAT(faults(upstreamTls("allow_renegotiation: true")),
              ElementsAre(at + "allow_renegotiation: not implemented in weir: renegotiation is off"));
  EXPECT_THAT(faults(upstreamTls("common_tls_context: {validation_context_sds_secret_config: {name: x, sds_config: "
                                 "{ads: {}}}}")),
              ElementsAre(HasSubstr("ads"), HasSubstr("control plane")));
}

struct SecretFile : ::testing::Test {
  SecretFile() {
    std::string name = (std::filesystem::temp_directory_path() / "weir-secret-XXXXXX").string();
    directory = mkdtemp(name.data());
    path = directory / "sds.yaml";
    spec.certificate_secrets = {{"mine", path.string(), ""}};
  }
  ~SecretFile() override { std::filesystem::remove_all(directory); }
  void write(const std::string& text) { std::ofstream(path) << text; }
  std::string refusal() {
    tls::CommonSpec copy = spec;
    const auto resolved = resolveSecrets(copy);
    return resolved.ok() ? "" : resolved.error().detail;
  }
  std::filesystem::path directory, path;
  tls::CommonSpec spec;
};

TEST_F(SecretFile, IsReadByName) {
  write(
      "resources:\n- '@type': type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret\n  name: mine\n"
      "  tls_certificate: {certificate_chain: {filename: /c}, private_key: {filename: /k}}\n");
  ASSERT_TRUE(resolveSecrets(spec).ok());
  EXPECT_EQ(spec.certificates.at(0).key.file, "/k");
}

TEST_F(SecretFile, IsRefusedWhereItIsWrong) {
  EXPECT_THAT(refusal(), HasSubstr("cannot read"));
  write("resources: []\n");
  EXPECT_THAT(refusal(), HasSubstr("holds no secret 'mine'"));
  write(
      "resources: [{'@type': type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret, name: mine, "
      "nonsense: 1}]\n");
  EXPECT_THAT(refusal(), HasSubstr("nonsense"));
  write(
      "resources: [{'@type': type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret, name: mine, "
      "validation_context: {}}]\n");
  EXPECT_THAT(refusal(), HasSubstr("no tls_certificate"));
  write("resources: [[\n");
  EXPECT_NE(refusal(), "");
}

}  // namespace
}  // namespace weir::config
