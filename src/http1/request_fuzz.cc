// A server codec fed with anything: the same outcome however the bytes are split, and no request after a bad one.
// The first byte chooses settings and the size of pieces.
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "base/check.h"
#include "http1/codec.h"
#include "http1/recording.h"

namespace {

using namespace weir;

class AnsweringReceiver final : public http1::RecordingReceiver {
 public:
  explicit AnsweringReceiver(http::Stream& stream) : stream_(stream) {}
  void onHeaders(http::HeaderMap& headers, bool end_stream) override {
    for (const auto& entry : headers) {
      CHECK(http::isPseudo(entry.name) || http::validName(entry.name));
      CHECK(http::validValue(entry.value));
    }
    CHECK(headers.has(http::HeaderId::Method) && headers.has(http::HeaderId::Path));
    CHECK(headers.has(http::HeaderId::Authority));
    RecordingReceiver::onHeaders(headers, end_stream);
    if (end_stream) answer("200");
  }
  void onBody(base::BufferChain& bytes, bool end_stream) override {
    RecordingReceiver::onBody(bytes, end_stream);
    if (end_stream) answer("200");
  }
  void onTrailers(http::HeaderMap& trailers) override {
    RecordingReceiver::onTrailers(trailers);
    answer("200");
  }
  void onMalformed(int status, const base::Error& why) override {
    RecordingReceiver::onMalformed(status, why);
    answer(std::to_string(status));
  }

 private:
  void answer(const std::string& status) {
    http::HeaderMap headers;
    headers.add(http::HeaderId::Status, status);
    stream_.sendHeaders(headers, true);
  }
  http::Stream& stream_;
};

class Connection final : public http::ServerCodec::Events {
 public:
  http::StreamReceiver& onNewStream(http::Stream& stream) override {
    CHECK(receivers.empty() || receivers.back().malformed_status == 0);
    return receivers.emplace_back(stream);
  }
  void onPauseConnection() override {}
  void onResumeConnection() override {}
  std::deque<AnsweringReceiver> receivers;
};

std::string serve(std::string_view input, size_t step, const http1::ServerSettings& settings) {
  http1::RecordingWire wire;
  Connection connection;
  const auto codec = http1::createServerCodec(wire, connection, settings);
  base::BufferChain in;
  while (!input.empty()) {
    in.append(input.substr(0, step));
    input.remove_prefix(std::min(step, input.size()));
    const bool ok = codec->receive(in).ok();
    CHECK(ok || codec->finished());
    CHECK(in.empty());
  }
  codec->receiveEnd();
  std::string out = wire.text;
  for (const auto& receiver : connection.receivers) out += receiver.log() + "\n";
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const uint8_t choice = data[0];
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  http1::ServerSettings settings;
  settings.max_headers_kb = (choice & 1) != 0 ? 1 : 60;
  settings.max_headers_count = (choice & 1) != 0 ? 5 : 100;
  settings.accept_http_10 = (choice & 2) != 0;
  settings.enable_trailers = (choice & 4) != 0;
  const std::string whole = serve(input, size, settings);
  CHECK(serve(input, 1, settings) == whole);
  CHECK(serve(input, 2 + (choice >> 3), settings) == whole);
  return 0;
}
