// For tests: wires that keep what is sent, receivers that write down what they are told, and frames made by hand.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http2/codec.h"

namespace weir::http2 {

class KeepingWire final : public http::Wire {
 public:
  void send(base::BufferChain& bytes) override { sent.append(bytes); }
  size_t unsent() const override { return sent.size(); }
  base::BufferChain sent;
};

class CountingOwner final : public Owner {
 public:
  void onWorkWaiting() override { work = true; }
  void onPingAnswered() override { ++pings; }
  void onStreamOver() override { ++over; }
  void onGoAway(uint32_t) override { ++goaways; }
  bool work = false;
  int pings = 0;
  int over = 0;
  int goaways = 0;
};

inline std::string describe(const http::HeaderMap& headers) {
  std::string out;
  for (const auto& entry : headers) out.append(entry.name).append("=").append(entry.value).append(";");
  return out;
}

inline std::string describe(const http::Metadata& metadata) {
  std::string out;
  for (const auto& [name, value] : metadata.fields()) out.append(name).append("=").append(value).append(";");
  return out;
}

// Events read like "headers(:method=GET;) end | body(hello) end | trailers(a=b;) | complete".
class Recorder : public http::StreamReceiver {
 public:
  void onHeaders(http::HeaderMap& headers, bool end) override { note("headers(" + describe(headers) + ")", end); }
  void onBody(base::BufferChain& bytes, bool end) override {
    body_bytes += bytes.size();
    note(bytes.size() > 64 ? "body" : "body(" + bytes.toString() + ")", end);
  }
  void onTrailers(http::HeaderMap& trailers) override { note("trailers(" + describe(trailers) + ")", false); }
  void onMetadata(http::Metadata& metadata) override {
    note(metadata.bytes() > 500 ? "metadata" : "metadata(" + describe(metadata) + ")", false);
  }
  void onInformational(http::HeaderMap& headers) override { note("informational(" + describe(headers) + ")", false); }
  void onReset(http::ResetReason reason, std::string_view detail) override {
    over = true;
    note("reset(" + std::string(http::name(reason)) + ", " + std::string(detail) + ")", false);
  }
  void onComplete() override {
    over = true;
    note("complete", false);
  }
  void onSendBlocked() override {
    blocked = true;
    note("blocked", false);
  }
  void onSendDrained() override {
    blocked = false;
    note("drained", false);
  }

  std::string log;
  size_t body_bytes = 0;
  bool over = false;
  bool blocked = false;
  http::Stream* stream = nullptr;

 private:
  void note(const std::string& what, bool end) { log += (log.empty() ? "" : " | ") + what + (end ? " end" : ""); }
};

// A server codec, and a recorder for each request that came.
class TestServer final : private http::ServerCodec::Events {
 public:
  explicit TestServer(const Settings& settings = {})
      : codec(createServerCodec(wire, *this, owner, settings, stats, clock)) {}

  http::StreamReceiver& onNewStream(http::Stream& stream) override {
    requests.push_back(std::make_unique<Recorder>());
    requests.back()->stream = &stream;
    if (pauses_new_streams) stream.pauseReceiving();
    return *requests.back();
  }
  void onPauseConnection() override {}
  void onResumeConnection() override {}

  void answer(size_t request, std::string_view status, std::string_view body = {}) {
    http::HeaderMap headers;
    headers.add(http::HeaderId::Status, status);
    http::Stream& stream = *requests[request]->stream;
    stream.sendHeaders(headers, body.empty());
    base::BufferChain bytes(body);
    if (!body.empty()) stream.sendBody(bytes, true);
  }
  // Bytes by hand; what it says to them is added to `sent`. Whether the connection goes on.
  bool receive(std::string_view bytes, std::string& sent) {
    base::BufferChain chain(bytes);
    const bool ok = codec->receive(chain).ok();
    sent += wire.sent.toString();
    wire.sent.clear();
    return ok;
  }
  const std::string& log(size_t request = 0) const { return requests[request]->log; }

  stats::Store store;
  Stats stats{store, "http2."};
  base::ManualClock clock;
  KeepingWire wire;
  CountingOwner owner;
  bool pauses_new_streams = false;
  std::vector<std::unique_ptr<Recorder>> requests;
  std::unique_ptr<ServerCodec> codec;
};

class TestClient {
 public:
  explicit TestClient(const Settings& settings = {}) : codec(createClientCodec(wire, owner, settings, stats, clock)) {}

  http::Stream& begin(Recorder& receiver) {
    receiver.stream = &codec->newStream(receiver);
    return *receiver.stream;
  }
  void ask(Recorder& receiver, std::string_view method = "GET", bool end = true) {
    http::HeaderMap headers;
    headers.add(http::HeaderId::Method, method);
    headers.add(http::HeaderId::Scheme, "http");
    headers.add(http::HeaderId::Authority, "h");
    headers.add(http::HeaderId::Path, "/");
    begin(receiver).sendHeaders(headers, end);
  }

  stats::Store store;
  Stats stats{store, "cluster.c.http2."};
  base::ManualClock clock;
  KeepingWire wire;
  CountingOwner owner;
  std::unique_ptr<ClientCodec> codec;
};

// Carries bytes both ways until nothing moves. False if a codec has failed.
inline bool pump(TestClient& client, TestServer& server) {
  bool well = true;
  for (int i = 0; i < 1000; ++i) {
    const bool work = client.owner.work || server.owner.work;
    if (client.wire.sent.empty() && server.wire.sent.empty() && !work) return well;
    client.owner.work = server.owner.work = false;
    base::BufferChain to_server = std::move(client.wire.sent);
    base::BufferChain to_client = std::move(server.wire.sent);
    well = server.codec->receive(to_server).ok() && well;
    well = client.codec->receive(to_client).ok() && well;
  }
  return false;
}

// A frame: RFC 9113 4.1.
inline std::string frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload = {}) {
  std::string out;
  const auto put = [&out](uint32_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
  };
  put(static_cast<uint32_t>(payload.size()), 3);
  put(type, 1);
  put(flags, 1);
  put(stream, 4);
  return out.append(payload);
}

// A literal field without indexing, for header blocks by hand. RFC 7541 6.2.2; below 127 bytes each.
inline std::string field(std::string_view name, std::string_view value) {
  std::string out(1, '\0');
  out.push_back(static_cast<char>(name.size()));
  out.append(name);
  out.push_back(static_cast<char>(value.size()));
  return out.append(value);
}

inline std::string get(std::string_view path = "/") {
  return field(":method", "GET") + field(":scheme", "http") + field(":path", path) + field(":authority", "h");
}

}  // namespace weir::http2
