#include "tcp/proxy.h"

#include <fmt/core.h>

#include <utility>

#include "base/log.h"

namespace weir::tcp {
namespace {

using filter::ResponseFlag;

std::string statName(std::string_view prefix, std::string_view name) { return fmt::format("tcp.{}.{}", prefix, name); }

// FNV-1a over the address without its port: clients keep their endpoint across connections.
uint64_t hashOf(const net::Address& address) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : address.ip()) hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3;
  return hash;
}

}  // namespace

ProxyStats::ProxyStats(stats::Store& store, std::string_view prefix)
    : downstream_cx_total(store.counter(statName(prefix, "downstream_cx_total"))),
      downstream_cx_no_route(store.counter(statName(prefix, "downstream_cx_no_route"))),
      downstream_cx_rx_bytes_total(store.counter(statName(prefix, "downstream_cx_rx_bytes_total"))),
      downstream_cx_tx_bytes_total(store.counter(statName(prefix, "downstream_cx_tx_bytes_total"))),
      downstream_flow_control_paused_reading_total(
          store.counter(statName(prefix, "downstream_flow_control_paused_reading_total"))),
      downstream_flow_control_resumed_reading_total(
          store.counter(statName(prefix, "downstream_flow_control_resumed_reading_total"))),
      early_data_received_count_total(store.counter(statName(prefix, "early_data_received_count_total"))),
      idle_timeout(store.counter(statName(prefix, "idle_timeout"))),
      max_downstream_connection_duration(store.counter(statName(prefix, "max_downstream_connection_duration"))),
      upstream_flush_total(store.counter(statName(prefix, "upstream_flush_total"))),
      upstream_flush_active(store.gauge(statName(prefix, "upstream_flush_active"))),
      store(store) {}

class Proxy final : public Filter {
 public:
  explicit Proxy(ProxyFactory& factory)
      : factory_(factory),
        spec_(*factory.spec_),
        stats_(factory.stats_),
        far_(*this),
        idle_(factory.environment_.loop, [this] { onIdle(); }),
        duration_(factory.environment_.loop, [this] { onDurationReached(); }) {}

  void setHandle(ConnectionHandle& handle) override { client_ = &handle; }
  Pass onNewConnection() override;
  Pass onData(base::BufferChain& bytes, bool end) override;
  void onBlocked() override;
  void onDrained() override;
  void onClosed(Ending ending) override;

 private:
  enum class State : uint8_t {
    Waiting,     // For the client's first bytes.
    Connecting,  // To an endpoint.
    Open,
    Over,
  };

  // What the upstream's stream tells; the client's connection tells the filter the same names.
  struct Far final : net::ByteStream::Receiver {
    explicit Far(Proxy& proxy) : proxy(proxy) {}
    void onConnected() override { proxy.upstreamConnected(); }
    void onBytes(base::BufferChain& received) override { proxy.upstreamBytes(received); }
    void onEnd() override { proxy.upstreamEnded(); }
    void onClosed(const base::Error& why) override { proxy.upstreamClosed(why); }
    void onBlocked() override { proxy.upstreamBlocked(); }
    void onDrained() override { proxy.upstreamDrained(); }
    Proxy& proxy;
  };

  void connect();
  upstream::Cluster* chooseCluster();
  void attemptFailed(ResponseFlag flag);
  void giveUp(ResponseFlag flag);
  void upstreamConnected();
  void upstreamBytes(base::BufferChain& received);
  void upstreamEnded();
  void upstreamClosed(const base::Error& why);
  void upstreamBlocked();
  void upstreamDrained();
  void touch();
  void onIdle();
  void onDurationReached();
  filter::UpstreamInfo& upstreamInfo();

  ProxyFactory& factory_;
  const ProxySpec& spec_;
  ProxyStats& stats_;
  Far far_;
  ConnectionHandle* client_ = nullptr;
  State state_ = State::Waiting;
  upstream::ClusterUse cluster_;
  std::shared_ptr<const upstream::Endpoint> endpoint_;
  std::unique_ptr<net::ByteStream> upstream_;
  uint32_t attempts_ = 0;
  base::BufferChain early_;  // Came before the upstream was there.
  bool early_counted_ = false;
  bool client_ended_ = false;
  event::Timer idle_;
  event::Timer duration_;
};

// --- The beginning ---

Pass Proxy::onNewConnection() {
  stats_.downstream_cx_total.add();
  if (spec_.max_connection_duration) duration_.arm(*spec_.max_connection_duration);
  touch();
  if (!spec_.max_early_data) client_->pauseReading();
  if (!spec_.connect_on_data) connect();
  return state_ == State::Over ? Pass::Stop : Pass::Continue;
}

// sni_cluster and plugins name a cluster in the filter state.
upstream::Cluster* Proxy::chooseCluster() {
  const auto& named = client_->info().filter_state;
  const auto at = named.find("envoy.tcp_proxy.cluster");
  return factory_.environment_.clusters.find(at == named.end() ? factory_.chooseCluster() : at->second);
}

void Proxy::connect() {
  state_ = State::Connecting;
  upstream::Cluster* cluster = chooseCluster();
  if (cluster == nullptr) {
    stats_.downstream_cx_no_route.add();
    return giveUp(ResponseFlag::NoClusterFound);
  }
  cluster_ = upstream::ClusterUse(*cluster);
  upstreamInfo().cluster = cluster->spec().name;
  if (attempts_ >= spec_.max_connect_attempts) {
    stats_.store.counter(cluster->stats().prefix + "upstream_cx_connect_attempts_exceeded").add();
    return giveUp(ResponseFlag::UpstreamRetryLimitExceeded);
  }
  ++attempts_;
  ++upstreamInfo().attempts;
  upstream::Wish wish;
  if (spec_.hash_source_address) wish.hash = hashOf(client_->info().connection->peer);
  upstream::StreamOffer offer = cluster->openStream(wish, *client_->info().connection);
  if (offer.stream == nullptr) {
    const bool overflow = offer.failure == upstream::AcquireFailure::Overflow;
    return giveUp(overflow ? ResponseFlag::UpstreamOverflow : ResponseFlag::NoHealthyUpstream);
  }
  endpoint_ = std::move(offer.endpoint);
  upstreamInfo().remote = endpoint_->address;
  upstreamInfo().hostname = endpoint_->hostname;
  upstream_ = std::move(offer.stream);
  upstream_->start(far_);
}

filter::UpstreamInfo& Proxy::upstreamInfo() {
  auto& info = client_->info().upstream;
  return info ? *info : info.emplace();
}

void Proxy::upstreamConnected() {
  state_ = State::Open;
  upstreamInfo().local = upstream_->local();
  if (!early_.empty()) upstream_->write(early_);
  if (client_ended_) upstream_->finishWriting();
  touch();
  client_->resumeReading();
}

void Proxy::attemptFailed(ResponseFlag flag) {
  client_->info().setFlag(flag);
  upstream_.reset();
  connect();
}

void Proxy::giveUp(ResponseFlag flag) {
  client_->info().setFlag(flag);
  client_->close(net::ByteStream::Close::Now);
}

// --- From the client ---

Pass Proxy::onData(base::BufferChain& bytes, bool end) {
  stats_.downstream_cx_rx_bytes_total.add(bytes.size());
  client_ended_ = client_ended_ || end;
  touch();
  if (state_ == State::Open) {
    upstream_->write(bytes);
    if (end) upstream_->finishWriting();
    return Pass::Continue;
  }
  if (!std::exchange(early_counted_, true)) stats_.early_data_received_count_total.add();
  early_.append(bytes);
  if (early_.size() >= spec_.max_early_data.value_or(0)) client_->pauseReading();
  if (state_ != State::Waiting) return Pass::Continue;
  if (!early_.empty()) {
    connect();
  } else if (end) {
    client_->close(net::ByteStream::Close::Flush);  // It came, said nothing and went.
  }
  return Pass::Continue;
}

void Proxy::upstreamBlocked() {
  stats_.downstream_flow_control_paused_reading_total.add();
  client_->pauseReading();
}

void Proxy::upstreamDrained() {
  stats_.downstream_flow_control_resumed_reading_total.add();
  touch();
  client_->resumeReading();
}

// --- From the upstream ---

void Proxy::upstreamBytes(base::BufferChain& received) {
  stats_.downstream_cx_tx_bytes_total.add(received.size());
  touch();
  client_->write(received, false);
}

void Proxy::upstreamEnded() {
  base::BufferChain nothing;
  client_->write(nothing, true);
}

void Proxy::upstreamClosed(const base::Error& why) {
  // As Envoy: a reset is passed on as one.
  const bool reset = why.code == base::Code::Reset;
  if (state_ != State::Connecting) {
    return client_->close(reset ? net::ByteStream::Close::Reset : net::ByteStream::Close::Flush);
  }
  upstreamInfo().failure_reason = why.detail;
  attemptFailed(ResponseFlag::UpstreamConnectionFailure);
}

void Proxy::onBlocked() {
  if (state_ == State::Open) upstream_->pauseReading();
}

void Proxy::onDrained() {
  touch();
  if (state_ == State::Open) upstream_->resumeReading();
}

// --- The end ---

void Proxy::touch() {
  if (spec_.idle_timeout) idle_.arm(*spec_.idle_timeout);
}

void Proxy::onIdle() {
  stats_.idle_timeout.add();
  client_->info().setFlag(ResponseFlag::StreamIdleTimeout);
  client_->close(net::ByteStream::Close::Now);
}

void Proxy::onDurationReached() {
  stats_.max_downstream_connection_duration.add();
  client_->info().setFlag(ResponseFlag::DurationTimeout);
  client_->close(net::ByteStream::Close::Now);
}

void Proxy::onClosed(Ending ending) {
  const bool was_open = state_ == State::Open;
  state_ = State::Over;
  idle_.disarm();
  duration_.disarm();
  if (upstream_ == nullptr) return;
  if (was_open && ending == Ending::Remote) return factory_.flush(std::move(upstream_));
  upstream_->close(was_open && ending == Ending::Reset ? net::ByteStream::Close::Reset : net::ByteStream::Close::Now);
}

// --- The factory ---

ProxyFactory::ProxyFactory(std::shared_ptr<const ProxySpec> spec, ProxyStats& stats, const Environment& environment)
    : spec_(std::move(spec)), stats_(stats), environment_(environment) {
  for (const WeightedCluster& cluster : spec_->clusters) total_weight_ += cluster.weight;
}

ProxyFactory::~ProxyFactory() = default;

std::unique_ptr<Filter> ProxyFactory::create() { return std::make_unique<Proxy>(*this); }

const std::string& ProxyFactory::chooseCluster() {
  uint64_t ticket = total_weight_ == 0 ? 0 : environment_.random.next() % total_weight_;
  for (const WeightedCluster& cluster : spec_->clusters) {
    if (ticket < cluster.weight) return cluster.name;
    ticket -= cluster.weight;
  }
  return spec_->clusters.back().name;
}

// An upstream connection whose last bytes are on their way; its limits are the stream's own.
class ProxyFactory::Departing final : public event::Deferred, public net::ByteStream::Receiver {
 public:
  Departing(ProxyFactory& factory, std::unique_ptr<net::ByteStream> stream)
      : factory_(factory), stream_(std::move(stream)), counted_(stream_->unsent() > 0) {
    if (!counted_) return;
    factory_.stats_.upstream_flush_total.add();
    factory_.stats_.upstream_flush_active.add();
  }
  ~Departing() override {
    if (counted_) factory_.stats_.upstream_flush_active.sub();
  }
  void begin() {
    stream_->start(*this);
    stream_->close(net::ByteStream::Close::Flush);
  }

 private:
  void onBytes(base::BufferChain& received) override { received.clear(); }
  void onEnd() override {}
  void onClosed(const base::Error&) override { onFlushed(); }
  void onFlushed() override {
    factory_.departing_.remove_if([this](std::unique_ptr<Departing>& each) {
      if (each.get() != this) return false;
      factory_.environment_.loop.destroyLater(std::move(each));
      return true;
    });
  }

  ProxyFactory& factory_;
  std::unique_ptr<net::ByteStream> stream_;
  const bool counted_;
};

void ProxyFactory::flush(std::unique_ptr<net::ByteStream> stream) {
  departing_.push_back(std::make_unique<Departing>(*this, std::move(stream)));
  departing_.back()->begin();
}

}  // namespace weir::tcp
