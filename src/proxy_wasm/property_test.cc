// Properties by their paths, in their encodings.
#include "proxy_wasm/property.h"

#include <algorithm>

#include "proxy_wasm/guest_fixture.h"
#include "proxy_wasm/little_endian.h"
#include "proxy_wasm/pairs.h"
#include "proxy_wasm/stream_context.h"
#include "route/spec.h"

namespace weir::proxy_wasm {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

std::string number(int64_t value) {
  std::string out(8, '\0');
  storeU64(out.data(), static_cast<uint64_t>(value));
  return out;
}

class PropertyTest : public PluginTest {
 protected:
  PropertyTest() {
    start(GuestText());
    stream_ = stream();
    http::HeaderMap& headers = stream_.handle->request_headers;
    headers.add(":method", "GET");
    headers.add(":scheme", "http");
    headers.add(":authority", "host");
    headers.add(":path", "/a/b?x=y#z");
    headers.add("user-agent", "curl");
    headers.add("x-a", "1");
    headers.add("x-a", "2");
  }
  ~PropertyTest() override { stream_.finish(); }

  // Within the guest's reach: as if its request callback ran. Dots stand for NULs.
  std::string get(std::string path) {
    std::replace(path.begin(), path.end(), '.', '\0');
    return read(path);
  }
  std::string read(std::string_view path) {
    auto* const context = dynamic_cast<StreamContext*>(stream_.filter.get());
    PropertyValue value;
    const AbiStatus status = readProperty(*context, path, value);
    return status == AbiStatus::Ok ? std::string(value.bytes()) : fmt::format("status {}", static_cast<int>(status));
  }
  filter::StreamInfo& info() { return stream_.handle->info(); }
  Stream stream_;
};

// A stop keeps the request's headers within reach.
class PausedPropertyTest : public PropertyTest {
 protected:
  PausedPropertyTest() {
    stream_.finish();
    start(GuestText().onRequestHeaders("(i32.const 1)"));
    stream_.filter = factory_->create();
    stream_.filter->setHandle(*stream_.handle);
    stream_.requestHeaders();
  }
};

TEST_F(PausedPropertyTest, AreReadFromTheRequestsHeaders) {
  EXPECT_EQ(get("request.path"), "/a/b?x=y#z");
  EXPECT_EQ(get("request.url_path"), "/a/b");
  EXPECT_EQ(get("request.query"), "x=y");
  EXPECT_EQ(get("request.host"), "host");
  EXPECT_EQ(get("request.scheme"), "http");
  EXPECT_EQ(get("request.method"), "GET");
  EXPECT_EQ(get("request.useragent"), "curl");
  EXPECT_EQ(get("request.referer"), "status 1");
  EXPECT_EQ(get("request.headers.X-A"), "1,2");
  EXPECT_EQ(get("request.headers.none"), "status 1");
  const std::string headers = get("request.headers");
  ASSERT_TRUE(parsePairs(headers));
  EXPECT_EQ(parsePairs(headers)->size(), 6u);
  EXPECT_EQ(parsePairs(headers)->back(), std::make_pair("x-a"sv, "1,2"sv));
}

TEST_F(PausedPropertyTest, MayEndWithANul) { EXPECT_EQ(read("request\0path\0"sv), "/a/b?x=y#z"); }

TEST_F(PropertyTest, FromHeadersAreGoneOnceTheRequestWentOn) {
  stream_.requestHeaders();
  EXPECT_EQ(get("request.path"), "status 1");
  EXPECT_EQ(get("request.protocol"), "HTTP/1.1");
}

TEST_F(PropertyTest, EncodeNumbersTimesAndBooleans) {
  info().request_body_bytes = 7;
  info().start = base::WallTime(std::chrono::seconds(1'700'000'000));
  EXPECT_EQ(get("request.size"), number(7));
  EXPECT_EQ(get("request.total_size"), number(7));
  EXPECT_EQ(get("request.time"), number(1'700'000'000'000'000'000));
  EXPECT_EQ(get("request.duration"), "status 1");
  info().finished = std::chrono::milliseconds(3);
  EXPECT_EQ(get("request.duration"), number(3'000'000));
  EXPECT_EQ(get("connection.mtls"), std::string(1, '\0'));
}

TEST_F(PropertyTest, TellOfTheResponse) {
  EXPECT_EQ(get("response.code"), "status 1");
  EXPECT_EQ(get("response.grpc_status"), "status 1");
  info().response_code = 403;
  info().response_code_details = "via_upstream";
  EXPECT_EQ(get("response.code"), number(403));
  EXPECT_EQ(get("response.code_details"), "via_upstream");
  EXPECT_EQ(get("response.grpc_status"), number(7));
  EXPECT_EQ(get("response.flags"), number(0));
}

TEST_F(PropertyTest, TellOfPeers) {
  info().client = *net::Address::parseIp("10.0.0.1", 1234);
  stream_.handle->connection_.local = *net::Address::parseIp("127.0.0.1", 80);
  stream_.handle->connection_.id = 5;
  EXPECT_EQ(get("source.address"), "10.0.0.1:1234");
  EXPECT_EQ(get("source.port"), number(1234));
  EXPECT_EQ(get("destination.address"), "127.0.0.1:80");
  EXPECT_EQ(get("connection.id"), number(5));
  EXPECT_EQ(get("connection_id"), number(5));
  EXPECT_EQ(get("connection.requested_server_name"), "");
  EXPECT_EQ(get("connection.tls_version"), "status 1");
  EXPECT_EQ(get("upstream.address"), "status 1");
  info().upstream.emplace();
  info().upstream->remote = *net::Address::parseIp("::1", 90);
  EXPECT_EQ(get("upstream.address"), "[::1]:90");
  EXPECT_EQ(get("upstream.port"), number(90));
}

TEST_F(PropertyTest, TellOfDynamicMetadata) {
  const std::string none(4, '\0');
  EXPECT_EQ(get("metadata"), "");
  EXPECT_EQ(get("metadata.filter_metadata"), none);
  EXPECT_EQ(get("metadata.typed_filter_metadata"), none);
  EXPECT_EQ(get("metadata.filter_metadata.ns"), "status 1");
  info().dynamic_metadata["ns"] = "\x0a\x08\x0a\1k\x12\3\x1a\1v"s;
  EXPECT_EQ(get("metadata.filter_metadata.ns.k"), "v");
  EXPECT_EQ(get("metadata.filter_metadata.ns.none"), "status 1");
  EXPECT_EQ(get("metadata.filter_metadata.ns"), toPropertyPairs(PairViews{{"k", "v"}}));
  EXPECT_EQ(get("metadata"), "\x0a\x10\x0a\2ns\x12\x0a\x0a\x08\x0a\1k\x12\3\x1a\1v"s);
  info().typed_dynamic_metadata["t"] = "\x0a\1u"s;
  EXPECT_EQ(get("metadata.typed_filter_metadata"), "status 3");
}

TEST_F(PropertyTest, TellOfRouteAndClusterUnderTheirNewAndOldNames) {
  EXPECT_EQ(get("xds.route_name"), "status 1");
  route::Route route;
  route.name = "r";
  route.metadata =
      "\x0a\x13\x0a\x02ns\x12\x0d\x0a\x0b\x0a\x01k\x12\x06\x1a\x04"
      "auth";
  info().route = &route;
  info().upstream.emplace();
  info().upstream->cluster = "web";
  for (const char* prefix : {"xds.", ""}) {
    EXPECT_EQ(get(prefix + "route_name"s), "r");
    EXPECT_EQ(get(prefix + "cluster_name"s), "web");
    EXPECT_EQ(get(prefix + "route_metadata.filter_metadata.ns.k"s), "auth");
    EXPECT_EQ(get(prefix + "cluster_metadata"s), "status 1");
    EXPECT_EQ(get(prefix + "listener_direction"s), number(0));
  }
  EXPECT_EQ(get("xds.filter_chain_name"), "");
}

TEST_F(PropertyTest, TellOfThePlugin) {
  EXPECT_EQ(get("plugin_name"), "plugin");
  EXPECT_EQ(get("plugin_root_id"), "root");
  EXPECT_EQ(get("plugin_vm_id"), "vm");
  EXPECT_EQ(get("plugin_vm_memory"), number(2 * 65536));
}

TEST_F(PropertyTest, OfAFamilyAsAWholeCannotBeWritten) {
  for (const char* path : {"", "request", "response", "connection", "upstream"})
    EXPECT_EQ(get(path), "status 3") << path;
  EXPECT_EQ(read("request\0"sv), "status 3");
  EXPECT_EQ(get("nonsense"), "status 1");
  EXPECT_EQ(read(std::string(100, '\0')), "status 1");
}

TEST_F(PropertyTest, SetByAPluginAreReadBackByTheirFirstSegmentAndAsFilterState) {
  info().filter_state["wasm.mine"] = "v";
  EXPECT_EQ(get("mine"), "v");
  EXPECT_EQ(read("filter_state\0wasm.mine"sv), "v");
  EXPECT_EQ(get("mine.more"), "status 1");
  info().filter_state["wasm.plugin_name"] = "shadow";
  EXPECT_EQ(get("plugin_name"), "plugin");
}

}  // namespace
}  // namespace weir::proxy_wasm
