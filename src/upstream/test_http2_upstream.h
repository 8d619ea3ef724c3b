// For tests: endpoints in memory that speak HTTP/2.
#pragma once

#include "http2/testing.h"
#include "upstream/test_upstream.h"

namespace weir::upstream {

// A fixture with a connector whose endpoints speak HTTP/2: a codec at the other end of each connection.
template <typename Fixture>
struct WithHttp2Peers : Fixture {
  // What the endpoint at the other end of connection number index makes of what came, and its answer back.
  http2::TestServer& serve(size_t index = 0) {
    while (servers.size() <= index) servers.push_back(std::make_unique<http2::TestServer>(settings));
    http2::TestServer& server = *servers[index];
    auto& peer = this->connector.peer(index);
    for (int i = 0; i < 3; ++i) {
      base::BufferChain bytes(std::exchange(peer.bytes, {}));
      EXPECT_TRUE(server.codec->receive(bytes).ok());
      if (!server.wire.sent.empty() && !peer.ended) peer.say(server.wire.sent.toString());
      server.wire.sent.clear();
      this->turns();
    }
    return server;
  }

  http2::Settings settings;
  std::vector<std::unique_ptr<http2::TestServer>> servers;
};

struct Http2UpstreamTest : WithHttp2Peers<UpstreamTest> {
  static ClusterSpec http2Spec() {
    ClusterSpec spec = staticSpec();
    spec.protocol = HttpProtocol::Http2;
    return spec;
  }
  void answer(size_t request, size_t connection = 0) {
    servers[connection]->answer(request, "200", "answer");
    serve(connection);
  }
};

}  // namespace weir::upstream
