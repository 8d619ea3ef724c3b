// For tests: an entry of which everything that operators can tell is known.
#pragma once

#include <cstring>
#include <memory>
#include <string>

#include "format/entry.h"
#include "format/text_format.h"

namespace weir::format {

// A field of a message in protobuf's wire format; all sizes here are below 128.
inline std::string wireBytes(int number, std::string_view content) {
  return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(content.size()) + std::string(content);
}
inline std::string wireEntry(std::string_view key, std::string_view value) {
  return wireBytes(1, wireBytes(1, key) + wireBytes(2, value));
}
inline std::string wireText(std::string_view value) { return wireBytes(3, value); }

struct TestEntry {
  TestEntry() {
    using std::chrono::microseconds;
    using std::chrono::milliseconds;
    connection.id = 7;
    connection.local = *net::Address::parseIp("10.0.0.1", 443);
    connection.peer = *net::Address::parseIp("192.168.7.9", 5000);
    connection.requested_server_name = "sni.example";
    connection.filter_chain_name = "chain";
    connection.handshake = milliseconds(3);
    auto tls = std::make_shared<net::TlsInfo>();
    tls->version = "TLSv1.3";
    tls->cipher = "TLS_AES_128_GCM_SHA256";
    tls->peer.subject = "CN=client";
    tls->peer.dns_sans = {"a.example", "b.example"};
    tls->peer.valid_from = 1700000000;
    connection.tls = tls;

    info.connection = &connection;
    info.client = *net::Address::parseIp("203.0.113.77", 0);
    info.protocol = http::Protocol::Http2;
    info.start = base::WallTime(std::chrono::seconds(1700000000) + microseconds(123456));
    info.request_received = milliseconds(2);
    info.response_started = milliseconds(8);
    info.answer_began = microseconds(8500);
    info.answer_ended = milliseconds(12);
    info.finished = milliseconds(13);
    info.request_body_bytes = 11;
    info.response_body_bytes = 22;
    info.wire = {33, 44, 5, 6, 7, 8};
    info.response_code = 503;
    info.response_code_details = "via upstream";
    info.setFlag(filter::ResponseFlag::UpstreamConnectionFailure);
    info.setFlag(filter::ResponseFlag::UpstreamRetryLimitExceeded);
    info.plugins.of("auth") = {"auth", 5, std::chrono::nanoseconds(1'234'567), "deadline:proxy_on_log"};
    info.plugins.of("quiet") = {"quiet", 2, microseconds(7), ""};
    info.plugins.of("dead").fault = "stack:proxy_on_tick";
    info.route_name = "route";
    route_metadata =
        wireEntry("ns", wireEntry("k", wireText("v\"x")) + wireEntry("n", std::string("\x11") + number(1.5)) +
                            wireEntry("o", wireBytes(5, wireEntry("x", wireText("y")))));
    info.route_metadata = route_metadata;
    info.filter_state["wasm.x"] = "state";

    filter::UpstreamInfo& up = info.upstream.emplace();
    up.cluster = "web";
    up.remote = *net::Address::parseIp("10.1.10.23", 8080);
    up.local = *net::Address::parseIp("10.1.0.1", 40000);
    up.hostname = "up.example:8080";
    up.attempts = 2;
    up.connected = true;
    up.protocol = http::Protocol::Http11;
    up.connection_id = 12;
    up.tried.push_back({*net::Address::parseIp("10.1.10.22", 8080), "", 11});
    up.wire = {100, 200, 30, 40, 31, 41};
    up.connect_began = -milliseconds(1);
    up.connect_ended = milliseconds(1);
    up.pool_ready = milliseconds(1);
    up.request_began = milliseconds(3);
    up.request_ended = milliseconds(4);
    up.response_ended = milliseconds(10);

    request.add(":method", "GET");
    request.add(":path", "/a/b?q=1%202&empty=&q=3");
    request.add(":authority", "host.example");
    request.add("x-request-id", "9d138c39-3714-4f32-9a91-8cf7a7e7353c");
    request.add("x-a", "first");
    request.add("x-a", "second");
    response.add(":status", "503");
    response.add("x-up", "yes \"q\"");
    trailers.add("x-trail", "t");
  }

  static std::string number(double value) {
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &value, 8);
    return bytes;
  }
  Entry entry() {
    return {.info = info,
            .request = &request,
            .response = &response,
            .trailers = &trailers,
            .local_reply_body = "body",
            .type = LogType::DownstreamEnd,
            .now = info.start + std::chrono::seconds(1),
            .random = &random};
  }

  filter::ConnectionInfo connection;
  filter::StreamInfo info;
  std::string route_metadata;
  http::HeaderMap request;
  http::HeaderMap response;
  http::HeaderMap trailers;
  base::FastRandom random{1};
};

}  // namespace weir::format
