// What a server makes of frames that a client would not send: RFC 9113 8, limits and floods, by frames made by hand.
#include <gmock/gmock.h>

#include <functional>

#include "http2/frame_meter.h"
#include "http2/testing.h"

namespace weir::http2 {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr uint8_t kDataType = 0, kHeadersType = 1, kPriorityType = 2, kResetType = 3, kSettingsType = 4, kPingType = 6,
                  kGoAwayType = 7, kWindowType = 8, kContinuationType = 9;
constexpr uint8_t kEndStream = 1, kEndHeaders = 4;
constexpr uint8_t kWhole = kEndStream | kEndHeaders;

// "type:stream:code" of each frame that ends something in what a server sent.
std::string endings(std::string_view bytes) {
  std::string out;
  const auto number = [](std::string_view text) {
    uint32_t value = 0;
    for (const char c : text) value = value << 8 | static_cast<uint8_t>(c);
    return value;
  };
  while (bytes.size() >= 9) {
    const uint32_t size = number(bytes.substr(0, 3));
    const std::string_view payload = bytes.substr(9, size);
    if (bytes[3] == kResetType) out += "reset:" + std::to_string(number(bytes.substr(5, 4))) + ":";
    if (bytes[3] == kResetType) out += std::to_string(number(payload)) + " ";
    if (bytes[3] == kGoAwayType) out += "goaway:" + std::to_string(number(payload.substr(4, 4))) + " ";
    bytes.remove_prefix(9 + size);
  }
  return out;
}

class RulesTest : public ::testing::Test {
 protected:
  void make(const Settings& settings) {
    server_ = std::make_unique<TestServer>(settings);
    receive(std::string(kPreface) + frame(kSettingsType, 0, 0));
  }
  void SetUp() override { make({}); }

  bool receive(std::string_view bytes) { return server_->receive(bytes, sent_); }
  // A request with this block; what became of it.
  std::string ask(const std::string& block) {
    sent_.clear();
    receive(frame(kHeadersType, kWhole, next_, block));
    next_ += 2;
    return endings(sent_);
  }
  std::string log() const { return server_->requests.back()->log; }

  std::unique_ptr<TestServer> server_;
  std::string sent_;
  uint32_t next_ = 1;
};

TEST_F(RulesTest, AWellFormedRequestIsTold) {
  EXPECT_EQ(ask(get()), "");
  EXPECT_EQ(log(), "headers(:method=GET;:scheme=http;:path=/;:authority=h;) end");
}

TEST_F(RulesTest, MalformedRequestsResetTheirStreamAlone) {
  const std::string head = field(":method", "GET") + field(":scheme", "http") + field(":path", "/");
  const std::string bad[] = {
      get() + field("Upper", "x"),
      get() + field("connection", "close"),
      get() + field("transfer-encoding", "chunked"),
      get() + field("keep-alive", "1"),
      get() + field("proxy-connection", "close"),
      get() + field("upgrade", "x"),
      get() + field("te", "gzip"),
      get() + field("a", std::string_view("x\0y", 3)),
      get() + field("a", "x\ry"),
      get() + field("a", "x\ny"),
      get() + field("a b", "x"),
      get() + field("", "x"),
      get() + field(":path", "/"),
      get() + field(":unknown", "x"),
      get() + field(":status", "200"),
      get() + field("content-length", "1"),
      get() + field("content-length", "x"),
      get() + field("content-length", "0") + field("content-length", "0"),
      field("a", "b") + get(),
      head,  // Neither authority nor host.
      field(":method", "GET") + field(":scheme", "http") + field(":authority", "h"),
      field(":method", "GET") + field(":path", "/") + field(":authority", "h"),
      field(":scheme", "http") + field(":path", "/") + field(":authority", "h"),
      field(":method", "G T") + field(":scheme", "http") + field(":path", "/") + field(":authority", "h"),
      field(":method", "GET") + field(":scheme", "http") + field(":path", "x") + field(":authority", "h"),
      field(":method", "GET") + field(":scheme", "http") + field(":path", "") + field(":authority", "h"),
      field(":method", "GET") + field(":scheme", "http") + field(":path", "/a b") + field(":authority", "h"),
      head + field(":authority", "a b"),
      get() + field(":protocol", "websocket"),
      field(":method", "CONNECT") + field(":path", "/") + field(":scheme", "http") + field(":authority", "h:1"),
  };
  for (const std::string& block : bad) {
    const std::string stream = std::to_string(next_);
    EXPECT_EQ(ask(block), "reset:" + stream + ":1 ") << testing::PrintToString(block);
    EXPECT_THAT(log(), HasSubstr("reset(protocol error, http2.")) << testing::PrintToString(block);
  }
  EXPECT_EQ(ask(get()), "");
}

TEST_F(RulesTest, AsConfiguredAMalformedRequestEndsTheConnection) {
  Settings settings;
  settings.stream_error_on_invalid_message = false;
  make(settings);
  EXPECT_FALSE(receive(frame(kHeadersType, kWhole, 1, get() + field("Upper", "x"))));
  EXPECT_THAT(endings(sent_), HasSubstr("goaway:1"));
}

TEST_F(RulesTest, CookiesAreJoinedAtTheEnd) {
  ask(get() + field("cookie", "a=1") + field("x", "1") + field("cookie", "b=2"));
  EXPECT_THAT(log(), HasSubstr(":authority=h;x=1;cookie=a=1; b=2;)"));
}

TEST_F(RulesTest, HostStandsInForAuthorityAndIsDroppedBesideIt) {
  ask(field(":method", "GET") + field(":scheme", "http") + field(":path", "/") + field("host", "other") +
      field("x", "1"));
  EXPECT_EQ(log(), "headers(:method=GET;:scheme=http;:path=/;:authority=other;x=1;) end");
  ask(get() + field("host", "other"));
  EXPECT_EQ(log(), "headers(:method=GET;:scheme=http;:path=/;:authority=h;) end");
}

TEST_F(RulesTest, FieldsAreJoinedAsInHttp1) {
  ask(get() + field("accept", "a") + field("accept", "b") + field("z", "1") + field("z", "2"));
  EXPECT_THAT(log(), HasSubstr("accept=a,b;z=1;z=2;"));
}

TEST_F(RulesTest, ContentLengthMustMatchTheData) {
  receive(frame(kHeadersType, kEndHeaders, 1, get() + field("content-length", "3")));
  sent_.clear();
  receive(frame(kDataType, kEndStream, 1, "12"));
  EXPECT_EQ(endings(sent_), "reset:1:1 ");
  EXPECT_THAT(log(), HasSubstr("reset(protocol error"));
}

TEST_F(RulesTest, TooManyFieldsAreRefusedAndPartsOfACookieCount) {
  std::string block = get();
  for (int i = 0; i < 97; ++i) block += field("cookie", "a=1");
  EXPECT_EQ(ask(block), "reset:1:2 ");
  EXPECT_THAT(log(), EndsWith("http2.too_many_headers)"));
  EXPECT_EQ(server_->stats.header_overflow.value(), 1u);
}

// The bomb of 2026: one field in the table, named again and again by one byte each.
TEST_F(RulesTest, FieldsNamedByTheTableCountInTheirDecodedForm) {
  Settings settings;
  settings.max_headers_count = 100'000;
  make(settings);
  std::string block = get();
  block += std::string(
               "\x40\x06"
               "cookie"
               "\x7f\x81\x1e",
               11) +
           std::string(4000, 'x');  // Indexed: 3968 + 127 - ...
  block.resize(block.size());
  const std::string indexed(12'000, '\xbe');  // Entry 62.
  // The value's length is 127 + 1 + 30 * 128 = 3968.
  block.resize(get().size() + 11 + 3968);
  EXPECT_EQ(ask(block + indexed), "reset:1:2 ");
  EXPECT_THAT(log(), EndsWith("http2.header_list_size_too_large)"));
}

TEST_F(RulesTest, HeadersHeldByStalledStreamsAreCapped) {
  Settings settings;
  settings.max_concurrent_streams = 1000;
  make(settings);
  std::string block = get();
  for (int i = 0; i < 50; ++i) block += field("a", std::string(120, 'x'));
  std::string all;
  for (uint32_t i = 0; i < 400; ++i) all += frame(kHeadersType, kEndHeaders, 1 + 2 * i, block);
  sent_.clear();
  EXPECT_TRUE(receive(all));
  EXPECT_THAT(endings(sent_), HasSubstr(":7 "));  // REFUSED_STREAM
  EXPECT_GT(server_->stats.held_headers_overflow.value(), 0u);
  EXPECT_LT(server_->codec->activeStreams() * block.size(), 3 * kMaxHeldHeaderBytes);
}

// --- Floods ---

struct FloodCase {
  const char* name;
  std::function<std::string(uint32_t)> frame_number;
  uint32_t enough;
  uint32_t harmless;
};

TEST_F(RulesTest, FloodsEndTheConnection) {
  const std::string update("\0\0\0\1", 4);
  const FloodCase cases[] = {
      {"ping", [](uint32_t) { return frame(kPingType, 0, 0, "12345678"); }, 1100, 500},
      {"settings", [](uint32_t) { return frame(kSettingsType, 0, 0); }, 110, 50},
      {"empty data", [](uint32_t) { return frame(kDataType, 0, 1); }, 2, 1},
      {"padding alone", [](uint32_t) { return frame(kDataType, 8, 1, std::string("\5\0\0\0\0\0", 6)); }, 2, 1},
      {"padded data", [](uint32_t) { return frame(kDataType, 8, 1, std::string("\1x\0", 3)); }, 0, 50},
      {"resets of ended streams", [](uint32_t) { return frame(kResetType, 0, 1, std::string("\0\0\0\x8", 4)); }, 102,
       100},
      {"priority", [](uint32_t) { return frame(kPriorityType, 0, 1, std::string("\0\0\0\0\1", 5)); }, 201, 200},
      {"window update", [&](uint32_t) { return frame(kWindowType, 0, 1, update); }, 8, 7},
      {"unknown", [](uint32_t) { return frame(0x55, 0, 0, "x"); }, 201, 100},
      {"reset",
       [](uint32_t i) {
         return frame(kHeadersType, kEndHeaders, 3 + 2 * i, get()) +
                frame(kResetType, 0, 3 + 2 * i, std::string("\0\0\0\x8", 4));
       },
       251, 240},
      {"provoked reset",
       [](uint32_t i) {
         return frame(kHeadersType, kEndHeaders, 3 + 2 * i, get()) +
                frame(kWindowType, 0, 3 + 2 * i, "\x7f\xff\xff\xff");
       },
       251, 240},
      {"malformed", [](uint32_t i) { return frame(kHeadersType, kWhole, 3 + 2 * i, get() + field("A", "x")); }, 251,
       240},
  };
  for (const FloodCase& flood : cases) {
    for (const bool too_much : {false, true}) {
      if (too_much && flood.enough == 0) continue;
      SetUp();
      receive(frame(kHeadersType, kEndHeaders, 1, get()));
      sent_.clear();
      bool ok = true;
      const uint32_t count = too_much ? flood.enough : flood.harmless;
      for (uint32_t i = 0; i < count && ok; ++i) ok = receive(flood.frame_number(i));
      EXPECT_EQ(ok, !too_much) << flood.name;
      const std::string end = too_much ? "goaway:11 " : "";
      EXPECT_THAT(endings(sent_), EndsWith(end)) << flood.name;
    }
  }
}

TEST_F(RulesTest, TimeMakesUpForPings) {
  const std::string ping = frame(kPingType, 0, 0, "12345678");
  for (int i = 0; i < 1000; ++i) receive(ping);
  server_->clock.advance(std::chrono::seconds(1));
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(receive(ping));
  EXPECT_FALSE(receive(ping));
}

TEST_F(RulesTest, ABlockOfManyContinuationsEndsTheConnection) {
  bool ok = receive(frame(kHeadersType, 0, 1, get()));
  int frames = 0;
  for (; ok && frames < 1000; ++frames) ok = receive(frame(kContinuationType, 0, 1, field("a", "b")));
  EXPECT_FALSE(ok);
  EXPECT_LE(frames, 20);
  EXPECT_THAT(endings(sent_), HasSubstr("goaway:11"));
}

TEST_F(RulesTest, ManyTableSizeUpdatesEndTheConnection) {
  EXPECT_EQ(ask("\x20\x3f\xe1\x1f" + get()), "");
  EXPECT_EQ(ask("\x20\x20\x20" + get()), "goaway:9 ");
  EXPECT_EQ(server_->stats.inbound_table_size_updates_flood.value(), 1u);
}

TEST_F(RulesTest, APeerThatDoesNotReadCannotMakeUsWriteWithoutEnd) {
  // The test's wire keeps what is sent, as a socket does whose peer does not read.
  bool ok = true;
  int pings = 0;
  for (; ok && pings < 3000; ++pings) {
    if (pings % 900 == 0) server_->clock.advance(std::chrono::seconds(100));
    base::BufferChain chain(frame(kPingType, 0, 0, "12345678"));
    ok = server_->codec->receive(chain).ok();
  }
  EXPECT_FALSE(ok);
  EXPECT_LE(pings, 1100);
  EXPECT_EQ(server_->stats.outbound_control_flood.value(), 1u);
}

TEST_F(RulesTest, FramesOfStreamsThatTheClientHasEndedEndTheConnection) {
  for (const uint8_t type : {kDataType, kHeadersType}) {
    make({});
    receive(frame(kHeadersType, kEndHeaders, 1, get()) + frame(kResetType, 0, 1, std::string("\0\0\0\x8", 4)));
    EXPECT_TRUE(receive(frame(kHeadersType, kEndHeaders, 5, get()))) << int{type};
    const std::string again = type == kDataType ? frame(kDataType, 0, 1, "x") : frame(kHeadersType, kWhole, 1, get());
    sent_.clear();
    EXPECT_FALSE(receive(again)) << int{type};
    EXPECT_EQ(endings(sent_), "goaway:5 ") << int{type};
  }
}

TEST_F(RulesTest, WhatWasOnTheWayToAStreamThatWeResetIsIgnored) {
  receive(frame(kHeadersType, kEndHeaders, 1, get()));
  server_->requests[0]->stream->reset(http::ResetReason::LocalReset);
  EXPECT_TRUE(receive(frame(kDataType, 0, 1, "x") + frame(kDataType, kEndStream, 1, "y")));
  next_ = 3;
  EXPECT_EQ(ask(get()), "");
}

TEST(FrameMeter, SeesTheSameHoweverBytesAreSplit) {
  Settings settings;
  base::ManualClock clock;
  const std::string bytes = std::string(kPreface) + frame(kSettingsType, 0, 0) +
                            frame(kHeadersType, kWhole, 1, "\x20\x20\x82") + frame(kDataType, 0, 1, "x") +
                            frame(kDataType, 0, 1) + frame(kDataType, 0, 1);
  for (size_t step = 1; step <= bytes.size(); ++step) {
    FrameMeter meter(settings, clock, true);
    Flood flood = Flood::None;
    size_t at = 0;
    for (; at < bytes.size() && flood == Flood::None; at += step) {
      flood = meter.pass(std::string_view(bytes).substr(at, step), [](int32_t) { return true; }).flood;
    }
    EXPECT_EQ(flood, Flood::EmptyFrames);
    EXPECT_GE(at, bytes.size());
  }
}

}  // namespace
}  // namespace weir::http2
