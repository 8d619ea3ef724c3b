// For tests: endpoints in memory that speak HTTP/2.
#pragma once

#include "http2/testing.h"
#include "upstream/test_upstream.h"

namespace weir::upstream {

struct Http2UpstreamTest : UpstreamTest {
  static ClusterSpec http2Spec() {
    ClusterSpec spec = staticSpec();
    spec.protocol = HttpProtocol::Http2;
    return spec;
  }
  // What the endpoint at the other end of connection number index makes of what came, and its answer back.
  http2::TestServer& serve(size_t index = 0) {
    while (servers.size() <= index) servers.push_back(std::make_unique<http2::TestServer>(settings));
    http2::TestServer& server = *servers[index];
    for (int i = 0; i < 3; ++i) {
      base::BufferChain bytes(std::exchange(connector.peer(index).bytes, {}));
      EXPECT_TRUE(server.codec->receive(bytes).ok());
      if (!server.wire.sent.empty()) connector.peer(index).say(server.wire.sent.toString());
      server.wire.sent.clear();
      turns();
    }
    return server;
  }
  void answer(size_t request, size_t connection = 0) {
    servers[connection]->answer(request, "200", "answer");
    serve(connection);
  }

  http2::Settings settings;
  std::vector<std::unique_ptr<http2::TestServer>> servers;
};

}  // namespace weir::upstream
