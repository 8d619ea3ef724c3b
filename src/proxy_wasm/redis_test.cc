// Higress' proxy_redis_init and proxy_redis_call, and what comes of them.
#include "net/memory_stream.h"
#include "proxy_wasm/calling_fixture.h"

namespace weir::proxy_wasm {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RedisTest : public CallingPluginTest, private net::ByteStream::Receiver {
 protected:
  RedisTest() {
    cluster_.on_stream = [this](const upstream::Wish&) {
      auto [ours, theirs] = net::MemoryStream::pair(loop_);
      ours->beginConnecting();
      ours->connectSucceeds();
      servers_.push_back(std::move(theirs));
      servers_.back()->start(*this);
      return std::move(ours);
    };
  }
  ~RedisTest() override {
    if (stream_.filter != nullptr) stream_.finish();
    factory_.reset();
    worker_.reset();
    loop_.runReady();
  }
  void onBytes(base::BufferChain& bytes) override {
    heard_ += bytes.toString();
    bytes.clear();
  }
  void onEnd() override {}
  void onClosed(const base::Error&) override {}
  void say(std::string_view text) {
    base::BufferChain bytes(text);
    servers_.back()->write(bytes);
    settle();
  }
  // What one end of a connection writes, the other hears in the next turn.
  void settle() {
    for (int turn = 0; turn < 6; ++turn) loop_.runReady();
  }
  std::string heard() {
    settle();
    return std::exchange(heard_, {});
  }

  // A guest that sends a command in its request headers, logs status and token, and pauses; and tells the answer.
  static GuestText calling(std::string_view cluster = "web", std::string_view command = "GET a\r\n") {
    GuestText guest;
    guest.import(R"((import "env" "proxy_redis_init" (func $init (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
      (import "env" "proxy_redis_call" (func $redis (param i32 i32 i32 i32 i32) (result i32)))
      (import "env" "proxy_get_status" (func $get_status (param i32 i32 i32) (result i32))))");
    guest.data(100, cluster).data(200, command);
    guest.onRequestHeaders(
        fmt::format("(call $status (call $redis (i32.const 100) (i32.const {}) (i32.const 200) (i32.const {})"
                    " (i32.const 16))) (call $status (i32.load (i32.const 16))) (i32.const 1)",
                    cluster.size(), command.size()));
    guest.on("proxy_on_redis_call_response", "(param $id i32) (param $token i32) (param $status i32) (param $size i32)",
             "(call $event (i32.const 82) (local.get $token) (local.get $status) (local.get $size))"
             "(drop (call $get_status (i32.const 20) (i32.const 8) (i32.const 12)))"
             "(call $status (i32.load (i32.const 20))) (call $text)"
             "(call $status (call $get_buffer (i32.const 9) (i32.const 0) (i32.const -1) (i32.const 8) (i32.const 12)))"
             "(call $text)"
             "(drop (call $effective (i32.const 2)))"
             "(call $status (call $continue (i32.const 0)))");
    return guest;
  }
  static std::string init(std::string_view timeout = "1000") {
    return fmt::format(
        "(call $status (call $init (i32.const 300) (i32.const 8) (i32.const 310) (i32.const 1) (i32.const 320) "
        "(i32.const 2) (i32.const {})))",
        timeout);
  }

  std::vector<std::unique_ptr<net::MemoryStream>> servers_;
  std::string heard_;
};

TEST_F(RedisTest, TellsTheRootTheAnswerAsItCame) {
  EXPECT_THAT(run(calling()), ElementsAre("= 0", "= 7"));
  EXPECT_EQ(heard(), "GET a\r\n");
  say("$5\r\nhello\r\n");
  EXPECT_THAT(lines(), ElementsAre("R 7 0 11", "= 0", "", "= 0", "$5\r", "hello\r", "", "= 0"));
  EXPECT_EQ(stream_.handle->continued_requests, 1);
}

TEST_F(RedisTest, TellsALostConnectionAsANetworkErrorAndItsStatus) {
  run(calling());
  servers_.back()->finishWriting();
  settle();
  EXPECT_THAT(lines(), ElementsAre("R 7 1 0", "= 11", "reset", "= 0", "", "= 0"));
}

TEST_F(RedisTest, IsRefusedForUnknownClustersAndWhatIsNotOneCommand) {
  EXPECT_THAT(run(calling("nobody")), ElementsAre("= 2", "= 0"));
  EXPECT_THAT(run(calling("web", "GET a\r\nGET b\r\n")), ElementsAre("= 2", "= 0"));
  EXPECT_THAT(run(calling("web", "")), ElementsAre("= 2", "= 0"));
  EXPECT_THAT(servers_, IsEmpty());
}

TEST_F(RedisTest, FailsAtOnceWithoutACallbackWhenNobodyIsThere) {
  cluster_.has_endpoint = false;
  EXPECT_THAT(run(calling()), ElementsAre("= 10", "= 0"));
  settle();
  EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(RedisTest, CountsWithHttpCallsAgainstTheBudget) {
  EXPECT_THAT(run(calling(), "small"), ElementsAre("= 0", "= 7"));
  stream_.requestHeaders();
  EXPECT_THAT(lines(), ElementsAre("= 10", "= 0"));
  EXPECT_EQ(stats_.counter("wasm.calls_refused").value(), 1u);
}

TEST_F(RedisTest, UsesWhatInitSaysForItsOwnConnections) {
  GuestText guest = calling();
  guest.data(300, "web?db=3").data(310, "u").data(320, "pw");
  guest.onConfigure(init() + "(i32.const 1)");
  ASSERT_TRUE(load(spec(guest)).ok());
  EXPECT_THAT(lines(), ElementsAre("= 0"));
  run(guest);
  EXPECT_EQ(heard(), "*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$2\r\npw\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\nGET a\r\n");
}

TEST_F(RedisTest, InitIsRefusedForUnknownClustersAndTimeoutsThatAreNone) {
  GuestText guest = calling();
  guest.data(300, "xyz?db=3").data(310, "u").data(320, "pw");
  guest.onRequestHeaders(init() + "(i32.const 0)");
  EXPECT_THAT(run(guest), ElementsAre("= 2"));
  guest.data(300, "web?db=3").onRequestHeaders(init("-1") + "(i32.const 0)");
  EXPECT_THAT(run(guest), ElementsAre("= 2"));
}

TEST_F(RedisTest, SettingsThatAreTooLongAreRefused) {
  GuestText guest = calling();
  guest.onRequestHeaders(
      "(call $status (call $init (i32.const 100) (i32.const 3) (i32.const 0) (i32.const 65536) (i32.const 0) "
      "(i32.const 0) (i32.const 0))) (i32.const 0)");
  EXPECT_THAT(run(guest), ElementsAre("= 2"));
}

TEST_F(RedisTest, IsTakenAndNeverSentOnTrial) {
  GuestText guest = calling();
  guest.onConfigure(
      "(call $status (call $redis (i32.const 100) (i32.const 3) (i32.const 200) (i32.const 7) (i32.const 16)))"
      "(i32.const 1)");
  ASSERT_TRUE(load(spec(guest)).ok());
  EXPECT_THAT(lines(), ElementsAre("= 0"));
  EXPECT_THAT(servers_, IsEmpty());
}

TEST_F(RedisTest, TheBufferIsNoTypeForModulesThatAreNotToldOfRedis) {
  GuestText guest;
  guest.onRequestHeaders(
      "(call $status (call $get_buffer (i32.const 9) (i32.const 0) (i32.const -1) (i32.const 8) (i32.const 12)))"
      "(i32.const 0)");
  EXPECT_THAT(run(guest), ElementsAre("= 2"));
}

TEST_F(RedisTest, IsOverWhenThePluginIs) {
  run(calling());
  stream_.finish();
  stream_ = {};
  factory_.reset();
  worker_.reset();
  settle();
  lines();
  say("+late\r\n");
  EXPECT_THAT(lines(), IsEmpty());
}

}  // namespace
}  // namespace weir::proxy_wasm
