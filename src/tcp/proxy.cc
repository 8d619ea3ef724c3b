#include "tcp/proxy.h"

#include <fmt/core.h>

#include <utility>

#include "base/log.h"
#include "net/connection_id.h"
#include "upstream/note_endpoint.h"

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
        duration_(factory.environment_.loop, [this] { onDurationReached(); }),
        log_timer_(factory.environment_.loop, [this] { onLogInterval(); }) {}

  // Nothing is read, not even for the filters before it, until there is somebody to pass it on to.
  void setHandle(ConnectionHandle& handle) override {
    client_ = &handle;
    if (!spec_.max_early_data) client_->pauseReading();
  }
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

  // How it is told in %DOWNSTREAM_LOCAL_CLOSE_REASON% that there is no upstream connection; numbered as Envoy's.
  enum class Failure : uint8_t { Connect, NoEndpoint, Overflow, NoCluster };

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
  void attemptFailed(const base::Error& why);
  void giveUp(ResponseFlag flag, Failure why);
  void upstreamConnected();
  void upstreamBytes(base::BufferChain& received);
  void upstreamEnded();
  void upstreamClosed(const base::Error& why);
  void upstreamBlocked();
  void upstreamDrained();
  void touch();
  void onIdle();
  void onDurationReached();
  void toUpstream(base::BufferChain& bytes);
  filter::UpstreamInfo& upstreamInfo();
  void noteEndpoint();
  void noteConnection();
  base::Duration sinceStart() const { return factory_.environment_.loop.now() - client_->info().start_monotonic; }
  void writeLog(format::LogType type);
  void onLogInterval();

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
  event::Timer log_timer_;
};

// --- The beginning ---

Pass Proxy::onNewConnection() {
  stats_.downstream_cx_total.add();
  client_->info().stream_id = base::uuid4(factory_.environment_.random);
  if (spec_.log_options.at_start) writeLog(format::LogType::TcpConnectionStart);
  if (spec_.log_options.interval) log_timer_.arm(*spec_.log_options.interval);
  if (spec_.max_connection_duration) duration_.arm(*spec_.max_connection_duration);
  touch();
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
    return giveUp(ResponseFlag::NoClusterFound, Failure::NoCluster);
  }
  cluster_ = upstream::ClusterUse(*cluster);
  upstreamInfo().cluster = cluster->spec().name;
  upstreamInfo().cluster_stat_name = cluster->spec().alt_stat_name;
  upstreamInfo().cluster_metadata = cluster->metadata();
  if (attempts_ >= spec_.max_connect_attempts) {
    stats_.store.counter(cluster->stats().prefix + "upstream_cx_connect_attempts_exceeded").add();
    return giveUp(ResponseFlag::UpstreamRetryLimitExceeded, Failure::Connect);
  }
  ++attempts_;
  upstream::Wish wish;
  if (spec_.hash_source_address) wish.hash = hashOf(client_->info().connection->peer);
  upstream::StreamOffer offer = cluster->openStream(wish, *client_->info().connection);
  if (offer.stream == nullptr) {
    const bool overflow = offer.failure == upstream::AcquireFailure::Overflow;
    return overflow ? giveUp(ResponseFlag::UpstreamOverflow, Failure::Overflow)
                    : giveUp(ResponseFlag::NoHealthyUpstream, Failure::NoEndpoint);
  }
  endpoint_ = std::move(offer.endpoint);
  noteEndpoint();
  upstream_ = std::move(offer.stream);
  upstream_->start(far_);
}

filter::UpstreamInfo& Proxy::upstreamInfo() {
  auto& info = client_->info().upstream;
  return info ? *info : info.emplace();
}

void Proxy::noteEndpoint() {
  filter::UpstreamInfo& info = upstreamInfo();
  ++info.attempts;
  upstream::noteEndpoint(*endpoint_, info);
  info.connect_began = sinceStart();
}

void Proxy::noteConnection() {
  filter::UpstreamInfo& info = upstreamInfo();
  info.connected = true;
  info.local = upstream_->local();
  info.connection_id = net::nextConnectionId();
  info.connect_ended = sinceStart();
  info.pool_ready = *info.connect_ended - info.connect_began.value_or(*info.connect_ended);
  const net::TlsInfo* tls = upstream_->tls();
  if (tls == nullptr) return;
  info.tls = tls->shared_from_this();
  info.handshake_ended = info.connect_ended;
  info.connect_ended = tls->handshake_began - client_->info().start_monotonic;
}

void Proxy::upstreamConnected() {
  state_ = State::Open;
  noteConnection();
  if (spec_.log_options.at_connected) writeLog(format::LogType::TcpUpstreamConnected);
  if (!early_.empty()) toUpstream(early_);
  if (client_ended_) upstream_->finishWriting();
  touch();
  client_->resumeReading();
}

void Proxy::attemptFailed(const base::Error& why) {
  client_->info().setFlag(ResponseFlag::UpstreamConnectionFailure);
  filter::UpstreamInfo& info = upstreamInfo();
  info.failure_reason = why.detail;
  info.tried.push_back({info.remote, info.hostname, 0});
  upstream_.reset();
  connect();
}

void Proxy::giveUp(ResponseFlag flag, Failure why) {
  client_->info().setFlag(flag);
  // As Envoy spells it.
  client_->close(net::ByteStream::Close::Now, fmt::format("tcp_initializion_failure:{}", static_cast<int>(why)));
}

// --- From the client ---

Pass Proxy::onData(base::BufferChain& bytes, bool end) {
  stats_.downstream_cx_rx_bytes_total.add(bytes.size());
  client_->info().wire.received += bytes.size();
  client_ended_ = client_ended_ || end;
  touch();
  if (state_ == State::Open) {
    toUpstream(bytes);
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

void Proxy::toUpstream(base::BufferChain& bytes) {
  upstreamInfo().wire.sent += bytes.size();
  upstream_->write(bytes);
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
  upstreamInfo().wire.received += received.size();
  client_->info().wire.sent += received.size();
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
  if (state_ == State::Connecting) return attemptFailed(why);
  if (reset) client_->info().setFlag(ResponseFlag::UpstreamRemoteReset);
  client_->close(reset ? net::ByteStream::Close::Reset : net::ByteStream::Close::Flush);
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
  client_->close(net::ByteStream::Close::Now, "tcp_session_idle_timeout");
}

void Proxy::onDurationReached() {
  stats_.max_downstream_connection_duration.add();
  client_->info().setFlag(ResponseFlag::DurationTimeout);
  client_->close(net::ByteStream::Close::Now, "max_connection_duration_reached");
}

void Proxy::onClosed(Ending ending) {
  const bool was_open = state_ == State::Open;
  state_ = State::Over;
  idle_.disarm();
  duration_.disarm();
  log_timer_.disarm();
  writeLog(format::LogType::TcpConnectionEnd);
  if (upstream_ == nullptr) return;
  const bool finished = ending == Ending::Remote || ending == Ending::Finished;
  if (was_open && finished) return factory_.flush(std::move(upstream_));
  upstream_->close(was_open && ending == Ending::Reset ? net::ByteStream::Close::Reset : net::ByteStream::Close::Now);
}

// --- The log ---

void Proxy::writeLog(format::LogType type) {
  const ProxyFactory::Environment& environment = factory_.environment_;
  if (environment.logs.empty()) return;
  environment.logs.write({.info = client_->info(),
                          .type = type,
                          .now = environment.loop.wallNow(),
                          .since_start = sinceStart(),
                          .random = &environment.random},
                         environment.random);
}

void Proxy::onLogInterval() {
  writeLog(format::LogType::TcpPeriodic);
  log_timer_.arm(*spec_.log_options.interval);
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
