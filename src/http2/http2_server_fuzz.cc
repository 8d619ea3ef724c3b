// The server side against any bytes, in two forms: as they are (behind a preface), and cut into frames of valid
// headers.
#include "base/check.h"
#include "http2/metadata.h"
#include "http2/testing.h"

namespace {

using namespace weir;

http::Metadata tells() {
  http::Metadata metadata;
  metadata.add("k", "v");
  return metadata;
}

http2::Settings settings() {
  http2::Settings settings;
  settings.allow_metadata = true;
  settings.max_metadata_size = 512;
  return settings;
}

// Types 0 to 10, and METADATA.
uint8_t typeOf(char byte) {
  const auto type = static_cast<uint8_t>(static_cast<uint8_t>(byte) % 12);
  return type == 11 ? http2::kMetadataFrame : type;
}

void feed(http2::TestServer& server, std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t step = 1 + static_cast<uint8_t>(bytes.front()) % 64;
    base::BufferChain chain(bytes.substr(0, step));
    bytes.remove_prefix(std::min(step, bytes.size()));
    if (!server.codec->receive(chain).ok()) return;
    CHECK(chain.empty());
    // Answers what has come, and plays with flow control.
    for (size_t i = 0; i < server.requests.size(); ++i) {
      http2::Recorder& request = *server.requests[i];
      if (request.over || request.stream == nullptr) continue;
      if (request.log.starts_with("headers(") && request.log.find(" end") != std::string::npos) {
        http::Stream* stream = std::exchange(request.stream, nullptr);
        request.stream = nullptr;
        http::HeaderMap headers;
        headers.add(http::HeaderId::Status, "200");
        stream->sendHeaders(headers, i % 2 == 0);
        stream->sendMetadata(tells());
        if (i % 2 == 0) continue;
        base::BufferChain body(std::string(i % 300, 'b'));
        stream->sendBody(body, true);
      }
    }
    if (server.owner.work) {
      server.owner.work = false;
      base::BufferChain nothing;
      if (!server.codec->receive(nothing).ok()) return;
    }
    CHECK(server.codec->activeStreams() <= 100);
    server.wire.sent.clear();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  http2::TestServer server(settings());
  std::string all(http2::kPreface);
  if (size > 0 && (data[0] & 1) != 0) {
    all += bytes.substr(1);
  } else {
    // type, flags, stream, size, payload
    all += http2::frame(4, 0, 0);
    std::string_view rest = bytes;
    while (rest.size() > 4) {
      const size_t length = std::min<size_t>(static_cast<uint8_t>(rest[3]), rest.size() - 4);
      all += http2::frame(typeOf(rest[0]), static_cast<uint8_t>(rest[1]), static_cast<uint8_t>(rest[2]) % 16,
                          rest.substr(4, length));
      rest.remove_prefix(4 + length);
    }
  }
  feed(server, all);
  server.codec->connectionLost("over");
  CHECK(server.codec->activeStreams() == 0);
  return 0;
}
