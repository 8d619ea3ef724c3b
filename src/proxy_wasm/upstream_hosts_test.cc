// What Higress has added for a stream's way to its upstream and back: host_upstream.cc.
#include "proxy_wasm/calling_fixture.h"

namespace weir::proxy_wasm {
namespace {

using testing::ElementsAre;

class UpstreamHostsTest : public CallingPluginTest {
 protected:
  UpstreamHostsTest() {
    const std::pair<uint16_t, uint32_t> members[] = {
        {80, 0}, {81, upstream::kDegradedByAssignment}, {82, upstream::kFailedActiveCheck}};
    for (const auto& [port, flags] : members) {
      auto endpoint = std::make_unique<upstream::Endpoint>();
      endpoint->address = net::Address::parseIp("10.0.0.1", port).value();
      endpoint->state = std::make_shared<upstream::EndpointState>(flags);
      cluster_.members.push_back(endpoint.get());
      endpoints_.push_back(std::move(endpoint));
    }
  }
  static GuestText importing() {
    GuestText guest;
    guest.import(R"((import "env" "proxy_get_upstream_hosts" (func $hosts (param i32 i32) (result i32)))
      (import "env" "proxy_set_upstream_override_host" (func $override (param i32 i32) (result i32)))
      (import "env" "proxy_inject_encoded_data_to_filter_chain" (func $inject (param i32 i32 i32) (result i32))))");
    return guest;
  }
  // A stream whose route goes to that cluster.
  void runTo(const GuestText& guest, std::string_view cluster) {
    worker_->setClusters(&cluster_);
    start(guest);
    stream_ = stream();
    stream_.handle->info().upstream.emplace().cluster = cluster;
    stream_.requestHeaders();
  }
  uint64_t count(std::string_view name) { return stats_.counter(name).value(); }

  std::vector<std::unique_ptr<upstream::Endpoint>> endpoints_;
};

TEST_F(UpstreamHostsTest, AreTheMembersOfTheStreamsClusterWithTheirHealth) {
  GuestText guest = importing();
  // The pairs without their sizes: the values are text.
  guest.onRequestHeaders(
      "(call $status (call $hosts (i32.const 8) (i32.const 12)))"
      "(call $status (i32.load (i32.load (i32.const 8))))"
      "(i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 28)))"
      "(i32.store (i32.const 12) (i32.sub (i32.load (i32.const 12)) (i32.const 29)))"
      "(call $text) (i32.const 0)");
  runTo(guest, "web");
  const std::vector<std::string> told = lines();
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0], "= 0");
  EXPECT_EQ(told[1], "= 3");
  std::string pairs = told[2];
  std::replace(pairs.begin(), pairs.end(), '\0', '|');
  EXPECT_EQ(pairs,
            "10.0.0.1:80|{\"health_status\":\"Healthy\",\"metrics\":\"\"}|"
            "10.0.0.1:81|{\"health_status\":\"Degraded\",\"metrics\":\"\"}|"
            "10.0.0.1:82|{\"health_status\":\"Unhealthy\",\"metrics\":\"\"}");
}

TEST_F(UpstreamHostsTest, AreNotFoundWithoutARouteAStreamOrSuchACluster) {
  GuestText guest = importing();
  guest.onConfigure("(call $status (call $hosts (i32.const 8) (i32.const 12))) (i32.const 1)");
  guest.onRequestHeaders(
      "(call $status (call $hosts (i32.const 8) (i32.const 12)))"
      "(i32.const 0)");
  ASSERT_TRUE(load(spec(guest)).ok());
  EXPECT_THAT(lines(), ElementsAre("= 1"));
  runTo(guest, "nobody");
  EXPECT_EQ(lines().back(), "= 1");
  stream_.handle->info().upstream.reset();
  stream_.requestHeaders();
  EXPECT_THAT(lines(), ElementsAre("= 1"));
}

TEST_F(UpstreamHostsTest, AreOfTheClusterThatTheRouteHasDrawn) {
  GuestText guest = importing();
  guest.onRequestHeaders("(call $status (call $hosts (i32.const 8) (i32.const 12))) (i32.const 0)");
  worker_->setClusters(&cluster_);
  start(guest);
  stream_ = stream();
  stream_.handle->info().chosen_cluster = "web";
  stream_.requestHeaders();
  EXPECT_EQ(lines().back(), "= 0");
}

TEST_F(UpstreamHostsTest, TheOneThatAPluginWantsIsKeptWithTheStream) {
  GuestText guest = importing();
  guest.data(100, "10.0.0.1:81");
  guest.onConfigure("(call $status (call $override (i32.const 100) (i32.const 11))) (i32.const 1)");
  guest.onRequestHeaders(
      "(call $status (call $override (i32.const 100) (i32.const 11)))"
      "(call $status (call $override (i32.const -1) (i32.const 11)))"
      "(i32.const 0)");
  guest.on("proxy_on_request_body", "(param $id i32) (param $n i32) (param $end i32) (result i32)",
           "(call $status (call $override (i32.const 100) (i32.const 300))) (i32.const 0)");
  runTo(guest, "web");
  EXPECT_THAT(lines(), ElementsAre("= 0", "= 0", "= 6"));
  EXPECT_EQ(stream_.handle->info().override_host, "10.0.0.1:81");
  stream_.requestBody("", true);
  EXPECT_THAT(lines(), ElementsAre("= 0"));
  EXPECT_EQ(stream_.handle->info().override_host, "");
}

TEST_F(UpstreamHostsTest, BytesForTheResponseGoWhenTheGuestHasReturned) {
  GuestText guest = importing();
  guest.data(100, "first").data(200, "last");
  guest.on("proxy_on_response_body", "(param $id i32) (param $n i32) (param $end i32) (result i32)",
           "(call $status (call $inject (i32.const 100) (i32.const 5) (i32.const 0)))"
           "(call $status (call $inject (i32.const -1) (i32.const 5) (i32.const 0)))"
           "(call $status (call $inject (i32.const 200) (i32.const 4) (i32.const 1)))"
           "(i32.const 3)");
  guest.onRequestHeaders("(i32.const 0)");
  runTo(guest, "web");
  stream_.responseHeaders(false);
  base::BufferChain piece("x");
  EXPECT_EQ(stream_.filter->onResponseBody(piece, false), filter::BodyAction::StopNoBuffer);
  EXPECT_THAT(lines(), ElementsAre("= 0", "= 6", "= 0"));
  EXPECT_THAT(stream_.handle->injected, ElementsAre("first", "last$"));
}

TEST_F(UpstreamHostsTest, BytesForTheResponseThatNobodyTakesAreLimited) {
  GuestText guest = importing();
  // 1 MiB of memory that is the guest's: its own 128 KiB, time and again.
  guest.onRequestHeaders(
      "(local $i i32) (loop $again"
      "  (if (call $inject (i32.const 0) (i32.const 131072) (i32.const 0))"
      "    (then (call $status (local.get $i)) (return (i32.const 0))))"
      "  (local.set $i (i32.add (local.get $i) (i32.const 1)))"
      "  (br_if $again (i32.lt_u (local.get $i) (i32.const 100)))) (i32.const 0)");
  runTo(guest, "web");
  EXPECT_THAT(lines(), ElementsAre("= 31"));
  EXPECT_EQ(stream_.handle->injected.size(), 31u);
  EXPECT_EQ(count("wasm.injections_refused"), 1u);
  stream_.handle->response_paused = true;
  stream_.requestHeaders();
  EXPECT_THAT(lines(), ElementsAre("= 0"));
  stream_.handle->response_paused = false;
  stream_.requestHeaders();
  EXPECT_THAT(lines(), ElementsAre("= 31"));
}

}  // namespace
}  // namespace weir::proxy_wasm
