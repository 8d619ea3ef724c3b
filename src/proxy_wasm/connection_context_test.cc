// Plugins as network filters: what they are told of a connection, and what they do to it.
#include "net/memory_stream.h"
#include "net/test_peers.h"
#include "proxy_wasm/guest_fixture.h"
#include "tcp/connection.h"
#include "tcp/small_filters.h"

namespace weir::proxy_wasm {
namespace {

using testing::Contains;
using testing::ElementsAre;

// A connection that passes a plugin, with an echo behind it.
class ConnectionContextTest : public PluginTest, private tcp::Connection::Owner {
 protected:
  ~ConnectionContextTest() override {
    connection_.reset();
    chain_.reset();
  }
  static GuestText telling() {
    const auto event = [](char letter, const std::string& arguments) {
      return fmt::format("(call $event (i32.const {}) (local.get $id) {})", static_cast<int>(letter), arguments);
    };
    const std::string none = "(i32.const 0) (i32.const 0)";
    GuestText guest;
    guest.everything();
    guest.on("proxy_on_new_connection", "(param $id i32) (result i32)", event('n', none) + "(i32.const 0)");
    for (const auto& [name, letter] : {std::pair("proxy_on_downstream_data", 'd'), {"proxy_on_upstream_data", 'u'}}) {
      guest.on(name, "(param $id i32) (param $a i32) (param $b i32) (result i32)",
               event(letter, "(local.get $a) (local.get $b)") + "(i32.const 0)");
    }
    for (const auto& [name, letter] :
         {std::pair("proxy_on_downstream_connection_close", 'c'), {"proxy_on_upstream_connection_close", 'e'}}) {
      guest.on(name, "(param $id i32) (param $a i32)", event(letter, "(local.get $a) (i32.const 0)"));
    }
    return guest;
  }
  static GuestText& onDownstream(GuestText& guest, const std::string& body) {
    return guest.on("proxy_on_downstream_data", "(param $id i32) (param $a i32) (param $b i32) (result i32)", body);
  }
  void run(const PluginSpec& plugin) {
    auto loaded = load(plugin);
    ASSERT_TRUE(loaded.ok()) << loaded.error().detail;
    runLoaded(*std::move(loaded));
  }
  void runLoaded(std::shared_ptr<const LoadedPlugin> plugin) {
    connection_.reset();
    std::vector<std::unique_ptr<tcp::FilterFactory>> filters;
    filters.push_back(worker_->createNetworkFactory(std::move(plugin)));
    filters.push_back(tcp::echo());
    chain_ = std::make_unique<tcp::Chain>(tcp::Chain{loop_, std::move(filters), 1000});
    lines();
    comes();
  }
  void run(const GuestText& guest) { run(spec(guest)); }
  void comes() {
    connection_.reset();
    auto [near, far] = net::MemoryStream::pair(loop_);
    client_ = std::move(far);
    at_client_ = {};
    client_->start(at_client_);
    over_ = false;
    connection_ = std::make_unique<tcp::Connection>(*chain_, static_cast<tcp::Connection::Owner&>(*this),
                                                    std::move(near), filter::ConnectionInfo{});
    connection_->start();
    turns();
  }
  void turns() {
    for (int i = 0; i < 5; ++i) loop_.runReady();
  }
  void say(std::string_view text) {
    base::BufferChain bytes(text);
    client_->write(bytes);
    turns();
  }
  void onConnectionClosed(tcp::Connection&) override { over_ = true; }

  std::unique_ptr<tcp::Chain> chain_;
  std::unique_ptr<net::MemoryStream> client_;
  net::Hearing at_client_;
  std::unique_ptr<tcp::Connection> connection_;
  bool over_ = false;
};

TEST_F(ConnectionContextTest, TellsAConnectionFromItsBeginningToItsEnd) {
  run(telling());
  say("hello");
  client_->finishWriting();
  turns();
  EXPECT_EQ(at_client_.bytes, "hello");
  EXPECT_TRUE(over_);
  EXPECT_THAT(lines(), ElementsAre("C 2 1 0", "n 2 0 0", "d 2 5 0", "u 2 5 0", "d 2 0 1", "u 2 0 1", "e 2 0 0",
                                   "c 2 1 0", "D 2 0 0", "L 2 0 0", "X 2 0 0"));
}

TEST_F(ConnectionContextTest, WhatIsStoppedComesAgainWithWhatFollows) {
  GuestText guest = telling();
  run(onDownstream(guest,
                   "(call $event (i32.const 100) (local.get $id) (local.get $a) (local.get $b))"
                   "(i32.lt_u (local.get $a) (i32.const 5))"));
  say("hel");
  EXPECT_EQ(at_client_.bytes, "");
  say("lo");
  EXPECT_EQ(at_client_.bytes, "hello");
  EXPECT_THAT(lines(), testing::IsSupersetOf({"d 2 3 0", "d 2 5 0"}));
}

TEST_F(ConnectionContextTest, ReadingContinuesFromAnywhere) {
  GuestText guest = telling();
  guest.onConfigure("(drop (call $tick (i32.const 100))) (i32.const 1)");
  guest.on("proxy_on_tick", "(param $id i32)",
           "(drop (call $effective (i32.const 2))) (call $status (call $continue (i32.const 2)))");
  run(onDownstream(guest, "(i32.const 1)"));
  say("hello");
  EXPECT_EQ(at_client_.bytes, "");
  clock_.advance(std::chrono::milliseconds(110));
  turns();
  EXPECT_EQ(at_client_.bytes, "hello");
  EXPECT_THAT(lines(), Contains("= 0"));
}

TEST_F(ConnectionContextTest, ItsBytesCanBeChangedWhileTheyAreTold) {
  GuestText guest = telling();
  guest.data(100, "oh ");
  run(onDownstream(guest,
                   "(call $status (call $set_buffer (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 100) "
                   "(i32.const 3)))"
                   "(call $status (call $set_buffer (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 100) "
                   "(i32.const 3))) (i32.const 0)"));
  say("hello");
  EXPECT_EQ(at_client_.bytes, "oh hello");
  EXPECT_THAT(lines(), testing::IsSupersetOf({"= 0", "= 2"}));
}

TEST_F(ConnectionContextTest, ClosesItsConnectionAndHearsOfIt) {
  GuestText guest = telling();
  run(onDownstream(guest, "(call $status (call $close (i32.const 2))) (i32.const 0)"));
  say("hello");
  EXPECT_TRUE(over_);
  EXPECT_EQ(at_client_.bytes, "");
  EXPECT_THAT(lines(), testing::IsSupersetOf({"= 0", "c 2 1 0", "D 2 0 0", "L 2 0 0", "X 2 0 0"}));
}

TEST_F(ConnectionContextTest, ATrapClosesTheConnectionAndTheNextOneIsServed) {
  GuestText guest = telling();
  run(onDownstream(guest, "(if (i32.eq (local.get $a) (i32.const 4)) (then (unreachable))) (i32.const 0)"));
  say("trap");
  EXPECT_TRUE(over_);
  comes();
  say("hello");
  EXPECT_EQ(at_client_.bytes, "hello");
}

TEST_F(ConnectionContextTest, AfterATrapAnOpenConnectionGoesOn) {
  GuestText guest = telling();
  PluginSpec open = spec(onDownstream(guest, "(unreachable)"));
  open.failure_policy = FailurePolicy::Open;
  run(open);
  say("one");
  say("two");
  EXPECT_EQ(at_client_.bytes, "onetwo");
  EXPECT_FALSE(over_);
}

TEST_F(ConnectionContextTest, ConnectionsThatWaitForADeadGuestAreClosed) {
  GuestText guest = telling();
  guest.onConfigure("(drop (call $tick (i32.const 100))) (i32.const 1)");
  guest.on("proxy_on_tick", "(param $id i32)", "(unreachable)");
  run(onDownstream(guest, "(i32.const 1)"));
  say("hello");
  clock_.advance(std::chrono::milliseconds(110));
  turns();
  EXPECT_TRUE(over_);
}

TEST_F(ConnectionContextTest, APluginThatDoesNotStartClosesConnectionsOrLetsThemPass) {
  for (const FailurePolicy policy : {FailurePolicy::Closed, FailurePolicy::Open}) {
    GuestText guest = telling();
    guest.import("(import \"env\" \"proxy_get_current_time_nanoseconds\" (func $time (param i32) (result i32)))");
    // Starts in the canary, and not half a second later.
    const int64_t now = std::chrono::nanoseconds(clock_.wall().time_since_epoch()).count();
    guest.onConfigure(fmt::format(
        "(drop (call $time (i32.const 24))) (i64.lt_u (i64.load (i32.const 24)) (i64.const {}))", now + 500'000'000));
    PluginSpec late = spec(guest, policy == FailurePolicy::Open ? "open" : "closed");
    late.failure_policy = policy;
    auto loaded = load(late);
    ASSERT_TRUE(loaded.ok()) << loaded.error().detail;
    clock_.advance(std::chrono::seconds(1));
    runLoaded(*std::move(loaded));
    say("hello");
    EXPECT_EQ(at_client_.bytes, policy == FailurePolicy::Open ? "hello" : "");
    EXPECT_EQ(over_, policy == FailurePolicy::Closed);
  }
}

TEST_F(ConnectionContextTest, PropertiesAreThoseOfTheConnection) {
  GuestText guest = telling();
  guest.data(100, std::string_view("request\0size", 12))
      .data(120, std::string_view("request\0path", 12))
      .data(140, "k");
  run(onDownstream(guest,
                   "(call $status (call $get_property (i32.const 100) (i32.const 12) (i32.const 8) (i32.const 12)))"
                   "(call $status (i32.load (i32.load (i32.const 8))))"
                   "(call $status (call $get_property (i32.const 120) (i32.const 12) (i32.const 8) (i32.const 12)))"
                   "(call $status (call $set_property (i32.const 140) (i32.const 1) (i32.const 100) (i32.const 7)))"
                   "(call $status (call $get_property (i32.const 140) (i32.const 1) (i32.const 8) (i32.const 12)))"
                   "(call $text) (i32.const 0)"));
  lines();
  say("hello");
  const std::vector<std::string> told = lines();
  ASSERT_GE(told.size(), 6u);
  EXPECT_THAT(std::vector(told.begin(), told.begin() + 6), ElementsAre("= 0", "= 5", "= 1", "= 0", "= 0", "request"));
}

}  // namespace
}  // namespace weir::proxy_wasm
