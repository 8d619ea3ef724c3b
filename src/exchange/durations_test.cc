// Facts about how long requests may take, in virtual time.
#include "exchange/test_exchange.h"

namespace weir::exchange {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

struct Durations : ExchangeTest {};

TEST_F(Durations, LetAClientGoThatHasSaidNothing) {
  begin();
  client_stream->close(net::ByteStream::Close::Now);
  turns();
  EXPECT_TRUE(closed);
}

TEST_F(Durations, EndARequestWhoseHeadersDoNotCome) {
  begin();
  say("GET / HTTP/1.1\r\nhost: h\r\n");
  passes(seconds(61));
  EXPECT_EQ(status(), "408");
  EXPECT_EQ(managerCount("downstream_rq_header_timeout"), 1u);
}

TEST_F(Durations, EndARequestThatDripsInForAnHour) {
  begin();
  say("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1000\r\n\r\n");
  for (int i = 0; i < 31; ++i) {
    passes(seconds(120));
    if (!client.ended) say("x");
  }
  EXPECT_EQ(status(), "408");
  EXPECT_THAT(client.bytes, HasSubstr("request timeout"));
}

TEST_F(Durations, LetAGrpcStreamDripAsLongAsItLikes) {
  begin();
  say("POST / HTTP/1.1\r\nhost: h\r\ncontent-type: application/grpc\r\ncontent-length: 1000\r\n\r\n");
  for (int i = 0; i < 40; ++i) {
    passes(seconds(120));
    say("x");
  }
  EXPECT_FALSE(client.ended);
}

TEST_F(Durations, EndAStreamByTheManagersLimit) {
  spec.max_stream_duration = seconds(2);
  begin();
  get();
  passes(seconds(3));
  EXPECT_EQ(status(), "504");
  EXPECT_THAT(client.bytes, HasSubstr("downstream duration timeout"));
  EXPECT_EQ(managerCount("downstream_rq_max_duration_reached"), 1u);
}

TEST_F(Durations, AreTheRoutesWhereItHasAnyToSay) {
  spec.max_stream_duration = seconds(2);
  route.forward->max_stream_duration.emplace().max = seconds(20);
  begin();
  get();
  passes(seconds(19));
  EXPECT_EQ(status(), "");
  passes(seconds(2));
  EXPECT_EQ(status(), "504");
}

TEST_F(Durations, AreLiftedByZero) {
  spec.max_stream_duration = seconds(2);
  route.forward->max_stream_duration.emplace().max = seconds(0);
  begin();
  get();
  passes(seconds(200));
  EXPECT_EQ(status(), "");
}

TEST_F(Durations, AreWhatGrpcTimeoutAsksForWithinTheRoutesBounds) {
  auto& limit = route.forward->max_stream_duration.emplace();
  limit.grpc_header_max = seconds(5);
  limit.grpc_header_offset = seconds(1);
  begin();
  say("POST / HTTP/1.1\r\nhost: h\r\ncontent-type: application/grpc\r\ngrpc-timeout: 1H\r\ncontent-length: 0\r\n\r\n");
  EXPECT_THAT(peer(0).bytes, HasSubstr("grpc-timeout: 4000m\r\n"));
  passes(milliseconds(4001));
  EXPECT_THAT(client.bytes, HasSubstr("grpc-status: 4"));
}

TEST_F(Durations, CountTheOldMaxGrpcTimeoutFromTheRequestsEnd) {
  route.forward->max_grpc_timeout = seconds(5);
  begin();
  say("POST / HTTP/1.1\r\nhost: h\r\ncontent-type: application/grpc\r\ngrpc-timeout: 2S\r\ncontent-length: 0\r\n\r\n");
  EXPECT_THAT(peer(0).bytes, HasSubstr("grpc-timeout: 2000m\r\n"));
  passes(milliseconds(2001));
  EXPECT_EQ(count("upstream_rq_timeout"), 1u);
}

TEST_F(Durations, HaveTheRoutesIdleTimeout) {
  route.forward->idle_timeout = seconds(3);
  route.forward->timeout = seconds(0);
  begin();
  get();
  passes(seconds(4));
  EXPECT_EQ(status(), "504");
  EXPECT_THAT(client.bytes, HasSubstr("stream timeout"));
}

}  // namespace
}  // namespace weir::exchange
