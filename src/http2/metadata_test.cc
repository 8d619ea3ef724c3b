// METADATA frames: carried by both codecs, and what a peer cannot do with them.
#include "http2/metadata.h"

#include <gmock/gmock.h>

#include "http2/testing.h"

namespace weir::http2 {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr uint8_t kHeadersType = 1, kResetType = 3;
constexpr uint8_t kEndHeaders = 4, kWhole = 5;

Settings allowing(uint64_t most = 1024 * 1024) {
  Settings settings;
  settings.allow_metadata = true;
  settings.max_metadata_size = most;
  return settings;
}

http::Metadata told(std::string_view name, std::string_view value) {
  http::Metadata metadata;
  metadata.add(name, value);
  return metadata;
}

class MetadataTest : public ::testing::Test {
 protected:
  void make(const Settings& server, const Settings& client) {
    server_ = std::make_unique<TestServer>(server);
    client_ = std::make_unique<TestClient>(client);
    EXPECT_TRUE(pump());
  }
  void SetUp() override { make(allowing(), allowing()); }
  bool pump() { return http2::pump(*client_, *server_); }

  // To the server, by hand, where a client would not send it.
  bool receive(std::string_view bytes) { return server_->receive(bytes, sent_); }
  void byHand(const Settings& settings = allowing()) {
    server_ = std::make_unique<TestServer>(settings);
    receive(std::string(kPreface) + frame(4, 0, 0));
    sent_.clear();
  }
  static std::string metadataFrame(std::string_view block, uint8_t flags = kEndMetadata, uint32_t stream = 1) {
    return frame(kMetadataFrame, flags, stream, block);
  }
  static std::string reset(uint32_t stream, uint8_t code) {
    return frame(kResetType, 0, stream, std::string("\0\0\0", 3) + static_cast<char>(code));
  }
  void open(uint32_t stream = 1) { receive(frame(kHeadersType, kEndHeaders, stream, get())); }

  std::unique_ptr<TestServer> server_;
  std::unique_ptr<TestClient> client_;
  Recorder answer_;
  std::string sent_;
};

TEST_F(MetadataTest, IsToldInItsPlaceBothWays) {
  client_->ask(answer_, "POST", false);
  answer_.stream->sendMetadata(told("a", "1"));
  base::BufferChain body("ping");
  answer_.stream->sendBody(body, false);
  answer_.stream->sendMetadata(told("b", "2"));
  base::BufferChain nothing;
  answer_.stream->sendBody(nothing, true);
  EXPECT_TRUE(pump());
  EXPECT_THAT(server_->log(), EndsWith(") | metadata(a=1;) | body(ping) | metadata(b=2;) | body() end"));

  server_->requests[0]->stream->sendMetadata(told("c", "3"));
  server_->answer(0, "200", "pong");
  EXPECT_TRUE(pump());
  EXPECT_EQ(answer_.log, "metadata(c=3;) | headers(:status=200;) | body(pong) end | complete");
}

TEST_F(MetadataTest, OfARequestWaitsForItsHeaders) {
  client_->codec->wireBlocked();
  client_->ask(answer_, "POST", false);
  answer_.stream->sendMetadata(told("a", "1"));
  base::BufferChain body("ping");
  answer_.stream->sendBody(body, true);
  client_->codec->wireDrained();
  EXPECT_TRUE(pump());
  EXPECT_THAT(server_->log(), EndsWith(") | metadata(a=1;) | body(ping) end"));
}

TEST_F(MetadataTest, ThatIsLongTravelsInSeveralFrames) {
  client_->ask(answer_, "POST", false);
  answer_.stream->sendMetadata(told("a", std::string(40'000, 'x')));
  EXPECT_TRUE(pump());
  EXPECT_THAT(server_->log(), EndsWith(") | metadata"));
}

TEST_F(MetadataTest, IsNeitherSentNorToldWhereItIsNotAllowed) {
  for (const auto& [server, client] : {std::pair{Settings{}, allowing()}, {allowing(), Settings{}}}) {
    make(server, client);
    Recorder answer;
    client_->ask(answer, "POST", false);
    answer.stream->sendMetadata(told("a", "1"));
    EXPECT_TRUE(pump());
    server_->requests[0]->stream->sendMetadata(told("b", "2"));
    server_->answer(0, "200", "pong");
    EXPECT_TRUE(pump());
    EXPECT_THAT(server_->log(), Not(HasSubstr("metadata")));
    EXPECT_THAT(answer.log, Not(HasSubstr("metadata")));
  }
}

TEST_F(MetadataTest, WaitsForNoBodyThatItsReceiverWillNotTakeYet) {
  byHand();
  open();
  server_->requests[0]->stream->pauseReceiving();
  receive(frame(0, 0, 1, "body") + metadataFrame(field("a", "1")));
  EXPECT_THAT(server_->log(), EndsWith(") | metadata(a=1;)"));
}

TEST_F(MetadataTest, IsOfOpenStreamsAlone) {
  byHand();
  EXPECT_TRUE(receive(metadataFrame(field("a", "1"))));
  EXPECT_TRUE(receive(metadataFrame(field("a", "1"), kEndMetadata, 0)));
  receive(frame(kHeadersType, kWhole, 1, get()));
  EXPECT_TRUE(receive(metadataFrame(field("a", "1"))));
  EXPECT_THAT(server_->log(), Not(HasSubstr("metadata")));
  EXPECT_EQ(sent_, "");
}

TEST_F(MetadataTest, OfEqualNamesTheFirstCountsAndEmptyBlocksAreCounted) {
  byHand();
  open();
  receive(metadataFrame(field("a", "1") + field("a", "2") + field("", "x")));
  EXPECT_THAT(server_->log(), EndsWith(") | metadata(=x;a=1;)"));
  receive(metadataFrame(""));
  receive(metadataFrame("", 0));
  EXPECT_EQ(server_->stats.metadata_empty_frames.value(), 1u);
}

// Envoy hears END_METADATA only where it stands alone.
TEST_F(MetadataTest, ABlockMayBeCutAnywhereAndOtherFlagsMeanNothing) {
  byHand();
  open();
  receive(metadataFrame(field("a", "1").substr(0, 3), 0xff & ~kEndMetadata) + frame(0, 0, 1, "body"));
  receive(metadataFrame(field("a", "1").substr(3), 0xff));
  EXPECT_THAT(server_->log(), EndsWith("| body(body) | metadata(a=1;)"));
}

// RFC 7541 2.3.2: the first block enters a field into its table, to which the second refers.
TEST_F(MetadataTest, BlocksShareNoTable) {
  byHand();
  open();
  receive(metadataFrame("\x40\1k\1v"));
  EXPECT_THAT(server_->log(), EndsWith("| metadata(k=v;)"));
  receive(metadataFrame("\xbe"));
  EXPECT_THAT(server_->log(), EndsWith("| reset(protocol error, http2.invalid_metadata)"));
}

TEST_F(MetadataTest, ThatIsMalformedResetsItsStreamAlone) {
  for (const std::string& block : {std::string(8, '\xff'), field("a", "1").substr(0, 3)}) {
    byHand();
    open(1);
    open(3);
    EXPECT_TRUE(receive(metadataFrame(block)));
    EXPECT_EQ(sent_, reset(1, NGHTTP2_PROTOCOL_ERROR));
    EXPECT_TRUE(receive(metadataFrame(field("a", "1"), kEndMetadata, 3)));
    EXPECT_THAT(server_->log(1), EndsWith("| metadata(a=1;)"));
    EXPECT_EQ(server_->stats.rx_messaging_error.value(), 1u);
  }
}

TEST_F(MetadataTest, OfOneStreamIsLimitedAltogether) {
  byHand(allowing(20));
  open(1);
  for (int i = 0; i < 4; ++i) receive(metadataFrame(field("a", "1")));
  EXPECT_EQ(sent_, "");
  receive(metadataFrame(field("a", "1")));
  EXPECT_EQ(sent_, reset(1, NGHTTP2_ENHANCE_YOUR_CALM));
  EXPECT_EQ(server_->stats.metadata_too_large.value(), 1u);
}

TEST_F(MetadataTest, ThatIsKeptIsLimitedForTheWholeConnection) {
  byHand();
  const std::string piece(16'384, '\x40');
  const auto bring = [&](uint32_t stream) {
    open(stream);
    for (int i = 0; i < 63; ++i) receive(metadataFrame(piece, 0, stream));  // And no end.
  };
  for (uint32_t stream : {1u, 3u, 5u, 7u}) bring(stream);
  EXPECT_EQ(sent_, "");
  bring(9);
  EXPECT_EQ(sent_, reset(9, NGHTTP2_ENHANCE_YOUR_CALM));
  EXPECT_EQ(server_->stats.held_metadata_overflow.value(), 1u);
  receive(reset(1, NGHTTP2_CANCEL));  // That gives room.
  sent_.clear();
  bring(11);
  EXPECT_EQ(sent_, "");
}

TEST_F(MetadataTest, ThatNobodyKeepsCountsNoMore) {
  client_->ask(answer_, "POST", false);
  std::vector<std::unique_ptr<Recorder>> others;
  for (int i = 0; i < 20; ++i) {
    others.push_back(std::make_unique<Recorder>());
    client_->ask(*others.back(), "POST", false);
    for (int k = 0; k < 10; ++k) others.back()->stream->sendMetadata(told("a", std::string(60'000, 'x')));
    EXPECT_TRUE(pump());
  }
  EXPECT_EQ(server_->stats.held_metadata_overflow.value(), 0u);
  for (const auto& other : others) EXPECT_FALSE(other->over);
  client_->codec->connectionLost("over");
}

TEST_F(MetadataTest, ThatCannotLeaveIsLimited) {
  client_->ask(answer_, "POST", false);
  EXPECT_TRUE(pump());
  client_->codec->wireBlocked();
  for (int i = 0; i < 100; ++i) answer_.stream->sendMetadata(told("a", std::string(60'000, '\1')));
  EXPECT_GT(client_->stats.unsent_metadata_overflow.value(), 0u);
  client_->codec->wireDrained();
  EXPECT_EQ(answer_.log, "reset(remote reset, http2.unsent_metadata_overflow)");
}

TEST_F(MetadataTest, AFloodOfFramesEndsTheConnection) {
  byHand();
  open();
  int frames = 0;
  while (frames < 30'000 && receive(metadataFrame("", 0))) ++frames;
  EXPECT_GE(frames, 9'000);
  EXPECT_LE(frames, 11'000);
  EXPECT_EQ(server_->stats.inbound_metadata_frames_flood.value(), 1u);
}

// Each brings its allowance.
TEST_F(MetadataTest, ManyFramesOfManyStreamsAreNoFlood) {
  byHand();
  for (uint32_t stream = 1; stream < 6'001; stream += 2) {
    ASSERT_TRUE(receive(frame(kHeadersType, kEndHeaders, stream, get()) + metadataFrame(field("a", "1"), 4, stream) +
                        metadataFrame(field("a", "1"), 4, stream) + frame(0, 1, stream, "x")));
    server_->answer(stream / 2, "200");
  }
  EXPECT_EQ(server_->stats.inbound_metadata_frames_flood.value(), 0u);
}

TEST_F(MetadataTest, OfAStreamThatHasEndedIsNotSent) {
  byHand();
  open();
  server_->codec->wireBlocked();
  server_->requests[0]->stream->sendMetadata(told("a", "1"));
  receive(reset(1, NGHTTP2_CANCEL));
  server_->codec->wireDrained();
  EXPECT_EQ(server_->wire.sent.toString(), "");
}

}  // namespace
}  // namespace weir::http2
