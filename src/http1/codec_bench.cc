// What the codec alone costs per request: a browser-like request in, a small response out, and the client side's half.
#include <benchmark/benchmark.h>

#include "http1/codec.h"

namespace {

using namespace weir;

constexpr std::string_view kRequest =
    "GET /api/v1/items?id=42&sort=asc HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; "
    "rv:115.0) Gecko/20100101\r\nAccept: text/html,application/xhtml+xml,*/*;q=0.8\r\nAccept-Language: "
    "en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\nX-Custom: some value\r\nCookie: session=0123456789abcdef\r\n\r\n";
constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 12\r\ndate: Sun, 06 Nov 1994 08:49:37 "
    "GMT\r\nserver: "
    "origin\r\n\r\nhello world\n";

class Wire final : public http::Wire {
 public:
  void send(base::BufferChain& bytes) override {
    bytes_sent += bytes.size();
    bytes.clear();
  }
  size_t bytes_sent = 0;
};

class Application final : public http::ServerCodec::Events, public http::StreamReceiver {
 public:
  http::StreamReceiver& onNewStream(http::Stream& stream) override {
    stream_ = &stream;
    return *this;
  }
  void onPauseConnection() override {}
  void onResumeConnection() override {}
  void onHeaders(http::HeaderMap& headers, bool end_stream) override {
    request = std::move(headers);
    if (stream_ == nullptr) return;
    http::HeaderMap response;
    response.add(http::HeaderId::Status, "200");
    response.add(http::HeaderId::ContentType, "text/plain");
    response.add(http::HeaderId::ContentLength, "12");
    response.add(http::HeaderId::Server, "envoy");
    stream_->sendHeaders(response, false);
    base::BufferChain body("hello world\n");
    stream_->sendBody(body, true);
  }
  void onBody(base::BufferChain&, bool) override {}
  void onTrailers(http::HeaderMap&) override {}
  void onReset(http::ResetReason, std::string_view) override {}

  http::HeaderMap request;

 private:
  http::Stream* stream_ = nullptr;
};

void serverRequestAndResponse(benchmark::State& state) {
  Wire wire;
  Application application;
  const auto codec = http1::createServerCodec(wire, application, {});
  base::BufferChain in;
  for (auto _ : state) {
    in.append(kRequest);
    benchmark::DoNotOptimize(codec->receive(in).ok());
  }
}
BENCHMARK(serverRequestAndResponse);

void clientRequestAndResponse(benchmark::State& state) {
  Wire wire;
  Application application;
  http::HeaderMap request;
  {
    const auto server = http1::createServerCodec(wire, application, {});
    base::BufferChain in(kRequest);
    benchmark::DoNotOptimize(server->receive(in).ok());
    request = std::move(application.request);
  }
  Application receiver;
  const auto codec = http1::createClientCodec(wire, {});
  base::BufferChain in;
  for (auto _ : state) {
    codec->newStream(receiver).sendHeaders(request, true);
    in.append(kResponse);
    benchmark::DoNotOptimize(codec->receive(in).ok());
  }
}
BENCHMARK(clientRequestAndResponse);

void lookUps(benchmark::State& state) {
  http::HeaderMap headers;
  for (const char* name : {":authority", ":path", ":method", "user-agent", "accept", "accept-language", "cookie",
                           "x-custom", "accept-encoding", "x-forwarded-proto", "x-request-id"}) {
    headers.add(name, "value");
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(headers.get(http::HeaderId::RequestId));
    benchmark::DoNotOptimize(headers.get(http::HeaderId::Te));
    benchmark::DoNotOptimize(headers.get("X-Custom"));
    benchmark::DoNotOptimize(headers.get("x-forwarded-proto"));
  }
}
BENCHMARK(lookUps);

}  // namespace

BENCHMARK_MAIN();
