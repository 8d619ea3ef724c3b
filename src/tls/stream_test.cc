#include "tls/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/memory_stream.h"
#include "tls/certificate.h"
#include "tls/sessions.h"
#include "tls/test_certificates.h"

namespace weir::tls {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Hearing final : net::ByteStream::Receiver {
  void onConnected() override { connected = true; }
  void onBytes(base::BufferChain& received) override {
    if (leave) return;
    text += received.toString();
    received.clear();
  }
  void onEnd() override { ended = true; }
  void onClosed(const base::Error& why) override { closed = why; }
  void onBlocked() override { blocked = true; }
  void onDrained() override { drained = true; }
  void onFlushed() override { flushed = true; }
  std::string text;
  bool connected = false, ended = false, blocked = false, drained = false, flushed = false, leave = false;
  std::optional<base::Error> closed;
};

const TestCertificate& authority() {
  static const TestCertificate made = makeCertificate({.common_name = "authority", .is_ca = true});
  return made;
}

CertificateSpec specOf(const TestCertificate& certificate) {
  CertificateSpec spec;
  spec.chain.bytes = certificate.pem;
  spec.key.bytes = certificate.key_pem;
  return spec;
}

ValidationSpec trusting(const TestCertificate& root) {
  ValidationSpec spec;
  spec.trusted_ca.bytes = root.pem;
  return spec;
}

// A server and a client over a pair in memory.
struct StreamTest : ::testing::Test {
  StreamTest() {
    server_spec.certificates.push_back(
        specOf(makeCertificate({.common_name = "server", .sans = "DNS:a.example", .issuer = &authority()})));
    server_spec.alpn = {"h2", "http/1.1"};
    client_spec.validation = trusting(authority());
    client_spec.parameters.max = Version::Tls13;
    wish.server_name = "a.example";
    wish.alpn_fallback = {"http/1.1"};
  }
  void begin() {
    if (!server_context) server_context = ServerContext::create(server_spec, stats_of_server, tickets).value();
    if (!client_context) client_context = ClientContext::create(client_spec, stats_of_client).value();
    auto [a, b] = net::MemoryStream::pair(loop);
    client_below = a.get();
    server_below = b.get();
    client_below->beginConnecting();
    client_below->connectSucceeds();
    client_hears = {};
    server_hears = {};
    server_failure.reset();
    server_done = false;
    server = Stream::server(loop, std::move(b), server_context);
    server->handshake([this](const base::Error* failure) {
      server_done = true;
      if (failure != nullptr) server_failure = *failure;
      if (failure == nullptr) server->start(server_hears);
    });
    client = Stream::client(loop, std::move(a), client_context, wish, 5s, &sessions);
    client->start(client_hears);
    turns();
  }
  void turns(int count = 40) {
    for (int i = 0; i < count; ++i) {
      clock.advance(1ms);
      loop.runReady();
    }
  }
  void send(Stream& from, std::string_view text) {
    base::BufferChain bytes(text);
    from.write(bytes);
  }

  base::ManualClock clock;
  event::Loop loop{clock};
  stats::Store store;
  std::shared_ptr<Stats> stats_of_server = std::make_shared<Stats>(store, "listener.x.ssl.");
  std::shared_ptr<Stats> stats_of_client = std::make_shared<Stats>(store, "cluster.x.ssl.");
  Stats& server_stats = *stats_of_server;
  Stats& client_stats = *stats_of_client;
  std::shared_ptr<TicketKeys> tickets = std::make_shared<TicketKeys>(clock);
  ServerSpec server_spec;
  ClientSpec client_spec;
  ClientWish wish;
  std::shared_ptr<const ServerContext> server_context;
  std::shared_ptr<const ClientContext> client_context;
  SessionStore sessions{1};
  Hearing client_hears, server_hears;
  net::MemoryStream* client_below = nullptr;
  net::MemoryStream* server_below = nullptr;
  std::unique_ptr<Stream> server, client;
  bool server_done = false;
  std::optional<base::Error> server_failure;
};

TEST_F(StreamTest, ShakesHandsAndCarriesBothDirections) {
  begin();
  ASSERT_TRUE(client_hears.connected);
  ASSERT_TRUE(server_done);
  send(*client, "question");
  send(*server, "answer");
  turns();
  EXPECT_EQ(server_hears.text, "question");
  EXPECT_EQ(client_hears.text, "answer");
  ASSERT_NE(server->tls(), nullptr);
  EXPECT_EQ(server->tls()->version, "TLSv1.3");
  EXPECT_EQ(server->tls()->alpn, "http/1.1");
  EXPECT_EQ(server->tls()->requested_server_name, "a.example");
  EXPECT_FALSE(server->tls()->peer_certificate_presented);
  EXPECT_TRUE(client->tls()->peer_certificate_validated);
  EXPECT_EQ(client->tls()->peer.subject, "CN=server");
  EXPECT_EQ(client->tls()->peer.dns_sans, std::vector<std::string>{"a.example"});
  EXPECT_EQ(server_stats.handshake.value(), 1u);
  EXPECT_EQ(server_stats.no_certificate.value(), 1u);
  EXPECT_EQ(store.counter("listener.x.ssl.versions.TLSv1.3").value(), 1u);
  EXPECT_EQ(store.counter("listener.x.ssl.curves.X25519").value(), 1u);
  EXPECT_EQ(store.counter("listener.x.ssl.ciphers.TLS_AES_128_GCM_SHA256").value(), 1u);
}

TEST_F(StreamTest, CarriesMuchThroughAPeerThatStopsReading) {
  begin();
  server_hears.leave = true;
  server->setHighWatermark(20'000);
  client->setHighWatermark(50'000);
  const std::string much(1'000'000, 'x');
  send(*client, much);
  turns();
  // What the reader leaves stays below its mark and one record more; the rest waits at the writer.
  EXPECT_TRUE(server_below->paused());
  server_hears.leave = false;
  server->resumeReading();
  turns(200);
  EXPECT_EQ(server_hears.text.size(), much.size());
}

TEST_F(StreamTest, TellsAWriterOfItsWatermarks) {
  begin();
  client->setHighWatermark(50'000);
  client_below->takeAtMost(1000);
  send(*client, std::string(100'000, 'x'));
  EXPECT_TRUE(client_hears.blocked);
  EXPECT_GT(client->unsent(), 90'000u);
  client_below->takeAll();
  turns();
  EXPECT_TRUE(client_hears.drained);
  EXPECT_EQ(server_hears.text.size(), 100'000u);
}

TEST_F(StreamTest, APauseHoldsWhatIsDecrypted) {
  begin();
  server->pauseReading();
  EXPECT_TRUE(server_below->paused()) << "what nobody takes must not be collected";
  send(*client, "later");
  turns();
  EXPECT_EQ(server_hears.text, "");
  server->resumeReading();
  turns();
  EXPECT_EQ(server_hears.text, "later");
}

TEST_F(StreamTest, CloseNotifyEndsOneDirectionOnly) {
  begin();
  send(*client, "last");
  client->finishWriting();
  turns();
  EXPECT_EQ(server_hears.text, "last");
  EXPECT_TRUE(server_hears.ended);
  send(*server, "still");
  turns();
  EXPECT_EQ(client_hears.text, "still");
  EXPECT_FALSE(client_hears.closed);
}

TEST_F(StreamTest, AFlushingCloseDeliversAllAndTellsTheEnd) {
  begin();
  send(*server, "all of it");
  server->close(net::ByteStream::Close::Flush);
  turns();
  EXPECT_EQ(client_hears.text, "all of it");
  EXPECT_TRUE(client_hears.ended);
  EXPECT_TRUE(server_hears.flushed);
}

TEST_F(StreamTest, AnEndWithoutCloseNotifyIsAReset) {
  begin();
  send(*server, "half");
  turns();
  server_below->close(net::ByteStream::Close::Now);
  turns();
  EXPECT_EQ(client_hears.text, "half");
  EXPECT_FALSE(client_hears.ended);
  ASSERT_TRUE(client_hears.closed);
  EXPECT_EQ(client_hears.closed->code, base::Code::Reset);
}

TEST_F(StreamTest, PlainTextIsRefusedAndCounted) {
  begin();
  auto [a, b] = net::MemoryStream::pair(loop);
  server_done = false;
  server = Stream::server(loop, std::move(b), server_context);
  server->handshake([this](const base::Error* failure) { server_failure = *failure; });
  base::BufferChain bytes("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  a->write(bytes);
  turns();
  ASSERT_TRUE(server_failure);
  EXPECT_EQ(server_failure->detail, "TLS_error:|268435612:SSL routines:OPENSSL_internal:HTTP_REQUEST:TLS_error_end");
  EXPECT_EQ(server_stats.connection_error.value(), 1u);
}

TEST_F(StreamTest, AnUntrustedServerFailsTheConnection) {
  static const TestCertificate other = makeCertificate({.common_name = "other", .is_ca = true});
  client_spec.validation = trusting(other);
  begin();
  ASSERT_TRUE(client_hears.closed);
  EXPECT_FALSE(client_hears.connected);
  EXPECT_THAT(client_hears.closed->detail,
              StartsWith("TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED"));
  EXPECT_THAT(client_hears.closed->detail, HasSubstr("unable to get local issuer certificate"));
  EXPECT_EQ(client_stats.fail_verify_error.value(), 1u);
  EXPECT_TRUE(server_failure);
  EXPECT_EQ(server_stats.connection_error.value(), 1u);
}

TEST_F(StreamTest, AnUntrustedServerIsTakenWhereThatIsAskedFor) {
  static const TestCertificate other = makeCertificate({.common_name = "other", .is_ca = true});
  client_spec.validation = trusting(other);
  client_spec.validation->accept_untrusted = true;
  begin();
  EXPECT_TRUE(client_hears.connected);
  EXPECT_FALSE(client->tls()->peer_certificate_validated);
}

TEST_F(StreamTest, WithoutAValidationContextAnyServerIsTaken) {
  client_spec.validation.reset();
  begin();
  EXPECT_TRUE(client_hears.connected);
  EXPECT_FALSE(client->tls()->peer_certificate_validated);
}

TEST_F(StreamTest, TheServersNamesAreMatched) {
  client_spec.validation->sans = {{SanMatcher::Type::Dns, {StringRule::Form::Exact, "b.example"}}};
  begin();
  ASSERT_TRUE(client_hears.closed);
  EXPECT_EQ(client_stats.fail_verify_san.value(), 1u);
  client_context = nullptr;
  client_spec.validation->sans.push_back({SanMatcher::Type::Any, {StringRule::Form::Suffix, ".EXAMPLE", true}});
  begin();
  EXPECT_TRUE(client_hears.connected);
}

TEST_F(StreamTest, TheNameThatWasSentMayBeWhatIsExpected) {
  wish.expected_name = "b.example";
  begin();
  ASSERT_TRUE(client_hears.closed);
  wish.expected_name = "a.example";
  begin();
  EXPECT_TRUE(client_hears.connected);
}

TEST_F(StreamTest, AClientCertificateThatIsRequiredMustCome) {
  server_spec.require_client_certificate = true;
  server_spec.validation = trusting(authority());
  begin();
  EXPECT_TRUE(server_failure);
  EXPECT_THAT(server_failure->detail, HasSubstr("PEER_DID_NOT_RETURN_A_CERTIFICATE"));
  EXPECT_EQ(server_stats.fail_verify_no_cert.value(), 1u);
}

TEST_F(StreamTest, AClientCertificateIsToldWithItsNames) {
  server_spec.require_client_certificate = true;
  server_spec.validation = trusting(authority());
  client_spec.certificates.push_back(
      specOf(makeCertificate({.common_name = "me", .sans = "URI:spiffe://x/me", .issuer = &authority()})));
  begin();
  ASSERT_TRUE(server_done && !server_failure) << server_failure->detail;
  EXPECT_TRUE(server->tls()->peer_certificate_validated);
  EXPECT_EQ(server->tls()->peer.uri_sans, std::vector<std::string>{"spiffe://x/me"});
  EXPECT_THAT(server->tls()->peer.pem_urlencoded, StartsWith("-----BEGIN%20CERTIFICATE-----%0A"));
  EXPECT_EQ(client->tls()->local.subject, "CN=me");
}

TEST_F(StreamTest, AnExpiredCertificateIsRefusedUnlessAllowed) {
  server_spec.certificates = {specOf(makeCertificate({.issuer = &authority(), .from = -7200, .until = -3600}))};
  begin();
  ASSERT_TRUE(client_hears.closed);
  EXPECT_THAT(client_hears.closed->detail, HasSubstr("certificate has expired"));
  client_context = nullptr;
  client_spec.validation->allow_expired = true;
  begin();
  EXPECT_TRUE(client_hears.connected);
}

TEST_F(StreamTest, PinsAreByCertificateOrKey) {
  const TestCertificate leaf = makeCertificate({.issuer = &authority()});
  server_spec.certificates = {specOf(leaf)};
  client_spec.validation = ValidationSpec{};
  client_spec.validation->certificate_hashes = {std::string(64, 'a')};
  begin();
  ASSERT_TRUE(client_hears.closed);
  EXPECT_EQ(client_stats.fail_verify_cert_hash.value(), 1u);
  client_context = nullptr;
  client_spec.validation->certificate_hashes.push_back(hex(sha256(derOf(leaf.x509.get()))));
  begin();
  EXPECT_TRUE(client_hears.connected);
}

TEST_F(StreamTest, TheCertificateIsChosenByNameAndKey) {
  server_spec.certificates = {
      specOf(makeCertificate({.common_name = "default", .sans = "DNS:d.example", .issuer = &authority()})),
      specOf(makeCertificate({.common_name = "rsa", .sans = "DNS:a.example", .issuer = &authority(), .rsa = true})),
      specOf(makeCertificate({.common_name = "ec", .sans = "DNS:a.example", .issuer = &authority()})),
      specOf(makeCertificate({.common_name = "wide", .sans = "DNS:*.w.example", .issuer = &authority()}))};
  const auto served = [this](const std::string& name) {
    wish.server_name = name;
    begin();
    return client->tls() == nullptr ? std::string("none") : client->tls()->peer.subject;
  };
  EXPECT_EQ(served("a.example"), "CN=ec");
  EXPECT_EQ(served("x.w.example"), "CN=wide");
  EXPECT_EQ(served("x.y.w.example"), "CN=default");
  EXPECT_EQ(served("other.example"), "CN=default");
  client_context = nullptr;
  client_spec.parameters.signatures = {"rsa_pss_rsae_sha256"};
  client_spec.validation.reset();
  EXPECT_EQ(served("a.example"), "CN=rsa");
}

TEST_F(StreamTest, ASessionIsResumedByAnotherContextWithTheSameKeys) {
  begin();
  send(*server, "x");  // The client reads the tickets that came with it.
  turns();
  client->close(net::ByteStream::Close::Now);
  turns();
  ASSERT_EQ(sessions.size(), 1u);
  server_context = nullptr;
  begin();
  ASSERT_TRUE(client_hears.connected);
  EXPECT_TRUE(client->tls()->resumed);
  EXPECT_TRUE(client->tls()->peer_certificate_validated);
  EXPECT_EQ(server_stats.session_reused.value(), 1u);
}

TEST_F(StreamTest, ASessionIsNotResumedWhereOtherClientsAreAsked) {
  begin();
  send(*server, "x");
  turns();
  server_context = nullptr;
  server_spec.validation = trusting(authority());
  begin();
  EXPECT_TRUE(client_hears.connected);
  EXPECT_FALSE(client->tls()->resumed);
}

TEST_F(StreamTest, Tls12WorksAndIsResumedByTicket) {
  client_spec.parameters.max = Version::Tls12;
  begin();
  ASSERT_TRUE(client_hears.connected);
  EXPECT_EQ(client->tls()->version, "TLSv1.2");
  client->close(net::ByteStream::Close::Now);
  begin();
  EXPECT_TRUE(client->tls()->resumed);
}

TEST_F(StreamTest, AHandshakeThatStandsStillEndsAtTheTimeout) {
  begin();
  auto [a, b] = net::MemoryStream::pair(loop);
  a->beginConnecting();
  client_hears = {};
  client = Stream::client(loop, std::move(a), client_context, wish, 5s, nullptr);
  client->start(client_hears);
  turns();
  EXPECT_FALSE(client_hears.closed);
  clock.advance(5s);
  turns();
  ASSERT_TRUE(client_hears.closed);
  EXPECT_EQ(client_hears.closed->code, base::Code::Timeout);
}

TEST_F(StreamTest, NoCommonProtocolIsNoAgreement) {
  wish.alpn_fallback = {"spdy"};
  begin();
  EXPECT_TRUE(client_hears.connected);
  EXPECT_EQ(server->tls()->alpn, "");
}

TEST_F(StreamTest, WhatIsWrittenBeforeTheHandshakeIsSentAfterIt) {
  server_context = ServerContext::create(server_spec, stats_of_server, tickets).value();
  client_context = ClientContext::create(client_spec, stats_of_client).value();
  auto [c, d] = net::MemoryStream::pair(loop);
  c->beginConnecting();
  c->connectSucceeds();
  client = Stream::client(loop, std::move(c), client_context, wish, 5s, nullptr);
  server = Stream::server(loop, std::move(d), server_context);
  server->handshake([this](const base::Error*) { server->start(server_hears); });
  client->start(client_hears);
  send(*client, "early");
  turns();
  EXPECT_EQ(server_hears.text, "early");
}

TEST(ServerContextTest, RefusesWhatCannotBe) {
  stats::Store store;
  const auto stats = std::make_shared<Stats>(store, "x.");
  const auto tickets = std::make_shared<TicketKeys>(base::systemClock());
  const auto refusal = [&](const ServerSpec& spec) {
    const auto made = ServerContext::create(spec, stats, tickets);
    return made.ok() ? std::string() : made.error().detail;
  };
  const TestCertificate one = makeCertificate({});
  const TestCertificate two = makeCertificate({});
  ServerSpec spec;
  EXPECT_THAT(refusal(spec), HasSubstr("must have a certificate"));
  spec.certificates = {specOf(one)};
  EXPECT_EQ(refusal(spec), "");
  spec.certificates[0].key.bytes = two.key_pem;
  EXPECT_THAT(refusal(spec), HasSubstr("another key"));
  spec.certificates[0].chain.bytes = "nonsense";
  EXPECT_THAT(refusal(spec), HasSubstr("holds no certificate"));
  spec.certificates[0].chain = {"/no/such/file", ""};
  EXPECT_THAT(refusal(spec), HasSubstr("cannot read '/no/such/file'"));
  spec.certificates = {specOf(one)};
  spec.ticket_keys = {{"", "short"}};
  EXPECT_THAT(refusal(spec), HasSubstr("80"));
  spec.ticket_keys = {};
  spec.parameters.curves = {"X25519MLKEM768"};
  EXPECT_THAT(refusal(spec), HasSubstr("ECDH curves"));
  spec.parameters.curves = {};
  spec.parameters.ciphers = {"NONE-SUCH"};
  EXPECT_THAT(refusal(spec), HasSubstr("cipher suites"));
}

}  // namespace
}  // namespace weir::tls
