// METADATA between a client and an upstream by HTTP/2: who gets it when tries fail.
#include "exchange/test_exchange.h"
#include "http2/testing.h"

namespace weir::exchange {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

http::Metadata told(std::string_view name) {
  http::Metadata metadata;
  metadata.add(name, "v");
  return metadata;
}

struct MetadataRelay : ExchangeTest {
  MetadataRelay() {
    spec.http2.allow_metadata = settings.allow_metadata = cluster.http2.allow_metadata = true;
    cluster.protocol = upstream::HttpProtocol::Http2;
  }
  void retryOn(std::string on) {
    auto& policy = route.forward->retry_policy.emplace();
    policy.retry_on = std::move(on);
    policy.num_retries = 1;
  }
  void start() {
    begin();
    http2_client = std::make_unique<http2::TestClient>(settings);
    carry();
    http2_client->ask(heard, "POST", false);
  }
  // Carries what both have to say until all is said.
  void carry() {
    for (int i = 0; i < 6; ++i) {
      say(http2_client->wire.sent.toString());
      http2_client->wire.sent.clear();
      base::BufferChain bytes(std::exchange(client.bytes, {}));
      EXPECT_TRUE(http2_client->codec->receive(bytes).ok());
      if (peers() > 0) {
        if (!server) server = std::make_unique<http2::TestServer>(settings);
        base::BufferChain asked(std::exchange(peer(0).bytes, {}));
        EXPECT_TRUE(server->codec->receive(asked).ok());
        if (!server->wire.sent.empty()) peer(0).say(server->wire.sent.toString());
        server->wire.sent.clear();
      }
      turns();
    }
  }
  void send(std::string_view text, bool end) {
    base::BufferChain bytes(text);
    heard.stream->sendBody(bytes, end);
  }

  http2::Settings settings;
  std::unique_ptr<http2::TestServer> server;
  std::unique_ptr<http2::TestClient> http2_client;
  http2::Recorder heard;
};

TEST_F(MetadataRelay, GoesBothWaysInItsPlace) {
  start();
  heard.stream->sendMetadata(told("a"));  // Before there is a connection.
  send("one", false);
  carry();
  heard.stream->sendMetadata(told("b"));
  send("two", true);
  carry();
  EXPECT_THAT(server->log(), HasSubstr("| metadata(a=v;) | body(one) | metadata(b=v;) | body(two) end"));
  server->requests[0]->stream->sendMetadata(told("c"));
  server->answer(0, "200", "hello");
  carry();
  EXPECT_THAT(heard.log, testing::StartsWith("metadata(c=v;) | headers(:status=200"));
}

// Envoy loses it.
TEST_F(MetadataRelay, OfARequestIsRepeatedWithIt) {
  retryOn("5xx");
  start();
  heard.stream->sendMetadata(told("a"));
  send("", true);
  carry();
  server->answer(0, "503");
  carry();
  passes(milliseconds(25));
  carry();
  ASSERT_EQ(server->requests.size(), 2u);
  EXPECT_THAT(server->log(1), EndsWith("| metadata(a=v;) | body() end"));
  server->answer(1, "200");
  carry();
  EXPECT_THAT(heard.log, HasSubstr(":status=200"));
}

// Envoy gives the client both.
TEST_F(MetadataRelay, OfAnAnswerThatIsNotTakenGoesWithIt) {
  retryOn("5xx");
  start();
  send("", true);
  carry();
  server->requests[0]->stream->sendMetadata(told("first"));
  server->answer(0, "503");
  carry();
  passes(milliseconds(25));
  carry();
  ASSERT_EQ(server->requests.size(), 2u);
  server->requests[1]->stream->sendMetadata(told("second"));
  server->answer(1, "200");
  carry();
  EXPECT_THAT(heard.log, testing::StartsWith("metadata(second=v;) | headers(:status=200"));
  EXPECT_THAT(heard.log, Not(HasSubstr("first")));
}

// The limit is for the body and it together.
TEST_F(MetadataRelay, ThatIsTooMuchToBeRepeatedEndsTheRetries) {
  retryOn("5xx");
  buffer_limit = 50;
  start();
  heard.stream->sendMetadata(told("a"));
  heard.stream->sendMetadata(told("b"));
  send("", true);
  carry();
  server->answer(0, "503");
  carry();
  EXPECT_THAT(heard.log, HasSubstr(":status=503"));
  EXPECT_EQ(count("retry_or_shadow_abandoned"), 1u);
}

}  // namespace
}  // namespace weir::exchange
