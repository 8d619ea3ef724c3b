#include "tls/live.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tls/test_certificates.h"

namespace weir::tls {
namespace {

namespace fs = std::filesystem;

struct LiveTest : ::testing::Test {
  LiveTest() {
    std::string name = (fs::temp_directory_path() / "weir-live-XXXXXX").string();
    directory = mkdtemp(name.data());
    files = event::FileWatch::open(loop).value();
    spec.certificates.emplace_back();
    spec.certificates[0].chain.file = directory / "chain.pem";
    spec.certificates[0].key.file = directory / "key.pem";
    put(makeCertificate({}));
  }
  ~LiveTest() override {
    live.reset();
    files.reset();
    fs::remove_all(directory);
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(directory / "new") << text;
    fs::rename(directory / "new", directory / name);
  }
  void put(const TestCertificate& certificate) {
    write("chain.pem", certificate.pem);
    write("key.pem", certificate.key_pem);
  }
  void begin() {
    live = LiveServer::create(spec, store, "listener.x.", clock,
                              {files.get(), [this](CommonSpec& s) { return resolve(s); }})
               .value();
  }
  base::Result<void> resolve(CommonSpec& into) {
    if (!secret) return base::Error{base::Code::NotFound, base::Side::Operator, base::Retry::No, "not there"};
    into.certificates.push_back(*secret);
    return base::Ok{};
  }
  void settle() {
    loop.runReady();
    clock.advance(event::FileWatch::kSettle + std::chrono::milliseconds(1));
    loop.runReady();
  }
  uint64_t count(const std::string& name) { return store.counter(name).value(); }

  base::ManualClock clock;
  event::Loop loop{clock};
  stats::Store store;
  fs::path directory;
  std::unique_ptr<event::FileWatch> files;
  ServerSpec spec;
  std::optional<CertificateSpec> secret;
  std::shared_ptr<LiveServer> live;
};

TEST_F(LiveTest, FollowsItsFiles) {
  begin();
  const auto before = live->get();
  put(makeCertificate({}));
  settle();
  EXPECT_NE(live->get(), nullptr);
  EXPECT_NE(live->get(), before);
}

TEST_F(LiveTest, KeepsTheLastGoodContext) {
  begin();
  const auto before = live->get();
  write("key.pem", "nonsense");
  settle();
  EXPECT_EQ(live->get(), before);
  write("key.pem", makeCertificate({}).key_pem);  // Of another certificate.
  settle();
  EXPECT_EQ(live->get(), before);
}

TEST_F(LiveTest, WhatIsWrongAtTheStartIsTheConfigurations) {
  write("chain.pem", "nonsense");
  EXPECT_FALSE(LiveServer::create(spec, store, "listener.x.", clock, {}).ok());
}

TEST_F(LiveTest, WaitsForASecretThatIsNotThereYet) {
  const CertificateSpec later = spec.certificates[0];
  spec.certificates.clear();
  spec.certificate_secrets = {{"mine", directory / "sds.yaml", ""}};
  begin();
  EXPECT_EQ(live->get(), nullptr);
  EXPECT_EQ(count("sds.mine.update_rejected"), 1u);
  secret = later;
  write("sds.yaml", "x");
  settle();
  EXPECT_NE(live->get(), nullptr);
  EXPECT_EQ(count("sds.mine.update_success"), 1u);
  EXPECT_EQ(count("listener.x.server_ssl_socket_factory.ssl_context_update_by_sds"), 1u);
}

TEST_F(LiveTest, FollowsTheFilesThatASecretNames) {
  secret = spec.certificates[0];
  spec.certificates.clear();
  spec.certificate_secrets = {{"mine", directory / "sds.yaml", ""}};
  begin();
  const auto before = live->get();
  put(makeCertificate({}));
  settle();
  EXPECT_NE(live->get(), before);
}

}  // namespace
}  // namespace weir::tls
