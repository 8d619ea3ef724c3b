// A client codec fed with anything: the same outcome however the bytes are split. The first byte chooses the method and
// the size of pieces.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "http1/codec.h"
#include "http1/recording.h"

namespace {

using namespace weir;

std::string ask(std::string_view input, size_t step, bool head) {
  http1::RecordingWire wire;
  http1::RecordingReceiver receiver;
  http1::ClientSettings settings;
  settings.max_headers_kb = 2;
  settings.enable_trailers = true;
  const auto codec = http1::createClientCodec(wire, settings);
  http::HeaderMap request;
  request.add(http::HeaderId::Method, head ? "HEAD" : "GET");
  request.add(http::HeaderId::Path, "/");
  request.add(http::HeaderId::Authority, "h");
  codec->newStream(receiver).sendHeaders(request, true);
  base::BufferChain in;
  bool ok = true;
  while (!input.empty() && ok) {
    in.append(input.substr(0, step));
    input.remove_prefix(std::min(step, input.size()));
    ok = codec->receive(in).ok();
    CHECK(ok || !codec->reusable());
  }
  codec->receiveEnd();
  CHECK(codec->activeStreams() == 0);
  return receiver.log();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const bool head = (data[0] & 1) != 0;
  const std::string whole = ask(input, size, head);
  CHECK(ask(input, 1, head) == whole);
  CHECK(ask(input, 2 + (data[0] >> 1), head) == whole);
  return 0;
}
