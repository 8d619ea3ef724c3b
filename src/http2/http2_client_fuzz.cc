// The client side against any bytes of a server.
#include <array>

#include "base/check.h"
#include "http2/metadata.h"
#include "http2/testing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir;
  http2::Settings settings;
  settings.allow_metadata = true;
  settings.max_metadata_size = 512;
  http2::TestClient client(settings);
  std::array<http2::Recorder, 4> receivers;
  for (size_t i = 0; i < receivers.size(); ++i) client.ask(receivers[i], i == 1 ? "HEAD" : "POST", i % 2 == 1);
  base::BufferChain body("hello");
  receivers[0].stream->sendBody(body, false);
  receivers[2].stream->pauseReceiving();
  http::Metadata metadata;
  metadata.add("k", "v");
  receivers[2].stream->sendMetadata(metadata);

  std::string all = http2::frame(4, 0, 0);
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (rest.size() > 4) {
    const size_t length = std::min<size_t>(static_cast<uint8_t>(rest[3]), rest.size() - 4);
    const auto type = static_cast<uint8_t>(static_cast<uint8_t>(rest[0]) % 12);
    all += http2::frame(type == 11 ? http2::kMetadataFrame : type, static_cast<uint8_t>(rest[1]),
                        static_cast<uint8_t>(rest[2]) % 10, rest.substr(4, length));
    rest.remove_prefix(4 + length);
  }
  std::string_view bytes = all;
  while (!bytes.empty()) {
    const size_t step = std::min<size_t>(1 + static_cast<uint8_t>(bytes.front()) % 64, bytes.size());
    base::BufferChain chain(bytes.substr(0, step));
    bytes.remove_prefix(step);
    if (!client.codec->receive(chain).ok()) break;
    CHECK(chain.empty());
    client.wire.sent.clear();
  }
  if (!receivers[2].over) receivers[2].stream->resumeReceiving();
  base::BufferChain nothing;
  (void)client.codec->receive(nothing);
  client.codec->connectionLost("over");
  CHECK(client.codec->activeStreams() == 0);
  for (const http2::Recorder& receiver : receivers) CHECK(receiver.over);
  return 0;
}
