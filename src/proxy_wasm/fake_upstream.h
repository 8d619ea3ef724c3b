// For tests: a cluster named "web" whose connections come when the test says so, and carry requests as it says.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "upstream/cluster.h"

namespace weir::proxy_wasm {

// One request on a connection: writes down what is sent, and lets the test answer.
class FakeRequest final : public http::Stream {
 public:
  explicit FakeRequest(http::StreamReceiver& receiver) : receiver(&receiver) {}
  void sendHeaders(const http::HeaderMap& headers, bool end_stream) override {
    for (const auto& entry : headers) sent.append(entry.name).append("=").append(entry.value).append(";");
    ended = end_stream;
    if (breaks_at_once) lose();
  }
  void sendInformational(const http::HeaderMap&) override {}
  void sendBody(base::BufferChain& bytes, bool end_stream) override {
    body += bytes.toString();
    bytes.clear();
    ended = end_stream;
    if (breaks_at_sending) lose();
  }
  void sendTrailers(const http::HeaderMap&) override { ended = true; }
  void reset(http::ResetReason) override { receiver = nullptr; }
  void pauseReceiving() override {}
  void resumeReceiving() override {}
  http::Protocol protocol() const override { return http::Protocol::Http2; }
  uint64_t bytesSent() const override { return body.size(); }
  uint64_t bytesReceived() const override { return 0; }

  // The peer: fields as {{"a", "b"}}. Each does nothing once the request was reset.
  using Fields = std::vector<std::pair<std::string, std::string>>;
  void heads(const Fields& fields, bool end = false) {
    http::HeaderMap map = mapOf(fields);
    if (receiver != nullptr) receiver->onHeaders(map, end);
    if (end) complete();
  }
  void says(std::string_view bytes) {
    base::BufferChain chain(bytes);
    if (receiver != nullptr) receiver->onBody(chain, false);
  }
  void trails(const Fields& fields) {
    http::HeaderMap map = mapOf(fields);
    if (receiver != nullptr) receiver->onTrailers(map);
    complete();
  }
  void lose() {
    http::StreamReceiver* const told = std::exchange(receiver, nullptr);
    if (told != nullptr) told->onReset(http::ResetReason::RemoteReset, "");
  }
  bool open() const { return receiver != nullptr; }

  std::string sent, body;
  bool ended = false;
  bool breaks_at_once = false;
  bool breaks_at_sending = false;
  http::StreamReceiver* receiver;

 private:
  static http::HeaderMap mapOf(const Fields& fields) {
    http::HeaderMap map;
    for (const auto& [name, value] : fields) map.add(name, value);
    return map;
  }
  void complete() {
    http::StreamReceiver* const told = std::exchange(receiver, nullptr);
    if (told != nullptr) told->onComplete();
  }
};

class FakeUpstream final : public upstream::Cluster, public upstream::Clusters, private http::ClientCodec {
 public:
  explicit FakeUpstream(stats::Store& store) : stats_(store, "web") { endpoint_.state = nullptr; }
  const upstream::ClusterSpec& spec() const override { return spec_; }
  upstream::ClusterStats& stats() override { return stats_; }
  const std::shared_ptr<const std::string>& metadata() const override { return metadata_; }
  std::unique_ptr<upstream::Acquisition> acquire(upstream::ConnectionWaiter& waiter,
                                                 const upstream::Wish& /*wish*/) override {
    if (!has_endpoint) {
      waiter.onNoConnection(upstream::AcquireFailure::NoEndpoint, nullptr, "");
      return nullptr;
    }
    if (at_once) {
      grant(waiter);
      return nullptr;
    }
    waiting.push_back(&waiter);
    return std::make_unique<Place>(*this, waiter);
  }
  std::vector<const upstream::Endpoint*> endpoints() const override { return members; }
  std::shared_ptr<const upstream::Endpoint> choose(const upstream::Wish&) override {
    return has_endpoint ? std::shared_ptr<const upstream::Endpoint>(&endpoint_, [](auto*) {}) : nullptr;
  }
  upstream::StreamOffer openStream(const upstream::Wish& wish, const filter::ConnectionInfo&) override {
    if (!has_endpoint || !on_stream) return {};
    return {on_stream(wish), choose(wish), {}};
  }
  std::optional<upstream::RetryPlace> admitRetry(bool) override { return std::nullopt; }
  void report(const upstream::Endpoint&, upstream::Outcome, int) override {}
  void assign(const upstream::Assignment&) override {}
  void assign(std::string_view, const upstream::Assignment&) override {}
  upstream::Cluster* find(std::string_view name) override { return name == "web" ? this : nullptr; }
  std::vector<upstream::Cluster*> all() override { return {this}; }
  void put(const upstream::ClusterSpec&, std::function<void()>) override {}
  void remove(std::string_view) override {}
  void drain() override {}

  void refuse() { next().onNoConnection(upstream::AcquireFailure::ConnectFailed, nullptr, ""); }
  FakeRequest& connect() {
    grant(next());
    return *requests.back();
  }
  FakeRequest& last() { return *requests.back(); }

  bool has_endpoint = true;
  std::vector<const upstream::Endpoint*> members;
  // Makes connections that carry bytes; without it there is none.
  std::function<std::unique_ptr<net::ByteStream>(const upstream::Wish&)> on_stream;
  bool at_once = false;         // Connections are there when they are asked for.
  bool breaks_at_once = false;  // Requests are reset while they are sent.
  std::deque<upstream::ConnectionWaiter*> waiting;
  std::vector<std::unique_ptr<FakeRequest>> requests;

 private:
  struct Place final : upstream::Acquisition {
    Place(FakeUpstream& cluster, upstream::ConnectionWaiter& waiter) : cluster(cluster), waiter(waiter) {}
    ~Place() override { std::erase(cluster.waiting, &waiter); }
    const upstream::Endpoint& endpoint() const override { return cluster.endpoint_; }
    FakeUpstream& cluster;
    upstream::ConnectionWaiter& waiter;
  };
  upstream::ConnectionWaiter& next() {
    upstream::ConnectionWaiter* const waiter = waiting.front();
    waiting.pop_front();
    return *waiter;
  }
  void grant(upstream::ConnectionWaiter& waiter) {
    waiter.onConnection({.codec = *this, .endpoint = endpoint_, .local = endpoint_.address});
  }

  // http::ClientCodec
  http::Stream& newStream(http::StreamReceiver& receiver) override {
    requests.push_back(std::make_unique<FakeRequest>(receiver));
    last().breaks_at_once = breaks_at_once;
    return last();
  }
  base::Result<void> receive(base::BufferChain&) override { return base::Ok{}; }
  void receiveEnd() override {}
  void connectionLost(std::string_view) override {}
  bool available() const override { return true; }
  bool reusable() const override { return true; }
  size_t activeStreams() const override { return 0; }
  void wireBlocked() override {}
  void wireDrained() override {}
  http::Protocol protocol() const override { return http::Protocol::Http2; }

  upstream::ClusterSpec spec_;
  upstream::ClusterStats stats_;
  upstream::Endpoint endpoint_;
  std::shared_ptr<const std::string> metadata_;
};

}  // namespace weir::proxy_wasm
