// Clusters as one worker sees them: endpoints, the balancer, and a pool of kept-alive connections per endpoint.
//
// Everything here belongs to one worker's loop; nothing is shared between workers but the counters.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "event/loop.h"
#include "filter/stream_info.h"
#include "http/codec.h"
#include "http2/stats.h"
#include "net/byte_stream.h"
#include "net/dns.h"
#include "stats/stats.h"
#include "upstream/circuit_breaker.h"
#include "upstream/endpoint_state.h"
#include "upstream/shared_cluster.h"
#include "upstream/spec.h"

namespace weir::upstream {

struct ClusterStats;

// What one worker has counted for an endpoint; the admin page sums them.
struct EndpointCounts {
  uint64_t cx_total = 0;
  uint64_t cx_active = 0;
  uint64_t cx_connect_fail = 0;
  uint64_t rq_total = 0;
  uint64_t rq_active = 0;
  uint64_t rq_success = 0;  // Answered, and not with 5xx.
  uint64_t rq_error = 0;
  uint64_t rq_timeout = 0;
};

// Where to check an endpoint's health, if not where its requests go.
struct EndpointCheck {
  net::Address address;  // Nowhere: the endpoint's.
  std::string host;
  bool disabled = false;
};

struct Endpoint {
  net::Address address;
  std::string hostname;
  std::shared_ptr<const std::string> metadata;  // Null if none.
  uint32_t weight = 1;
  uint32_t priority = 0;
  Locality locality{};
  std::shared_ptr<const std::string> locality_message;  // Serialized; null where none of it has a name.
  std::shared_ptr<const std::string> locality_metadata;
  std::shared_ptr<const EndpointCheck> check{};  // Null: as the cluster says.
  std::vector<net::ProxyTlv> announced_tlvs{};   // EndpointSpec's.
  std::shared_ptr<EndpointState> state{};        // Never null for an endpoint of a cluster.
  mutable EndpointCounts counts{};
};

// What came of a request to an endpoint, for outlier detection; as Envoy's router tells it.
enum class Outcome : uint8_t {
  Answered,       // With a status; for gRPC the HTTP status that its own stands for.
  Connected,      // A connection was found or made.
  ConnectFailed,  // None could be made; or the stream was reset before an answer.
  Timeout,        // The route's or the try's timeout passed before an answer.
};

// Why a request got no connection.
enum class AcquireFailure : uint8_t {
  NoEndpoint,      // 503 "no healthy upstream", flag UH
  Overflow,        // 503, flag UO
  ConnectFailed,   // 503, flag UF; detail has the system's words
  ConnectTimeout,  // 503, flag UF
};

// What logs tell of the connection that serves a request.
struct ConnectionFacts {
  uint64_t id = 0;
  http::Protocol protocol = http::Protocol::Http11;
  base::MonotonicTime connect_began;
  base::MonotonicTime connect_ended;
  std::optional<base::MonotonicTime> handshake_ended;  // Of TLS.
};

// Waits for a connection. Told exactly one of the two, possibly within acquire() itself; never after cancel.
class ConnectionWaiter {
 public:
  struct Granted {
    http::ClientCodec& codec;  // Call newStream() on it at once, within onConnection().
    const Endpoint& endpoint;
    const net::Address& local;
    std::shared_ptr<const net::TlsInfo> tls = nullptr;  // Null on a plain connection.
    bool reused = false;  // A kept-alive connection: a reset before any response byte deserves one retry.
    const ConnectionFacts* facts = nullptr;  // Lives as long as the connection; null: nothing is known.
    // `endpoint`, for who needs it longer than the connection lives; null: it lives long enough.
    const std::shared_ptr<const Endpoint>* held = nullptr;
  };
  virtual void onConnection(const Granted& granted) = 0;
  virtual void onNoConnection(AcquireFailure why, const Endpoint* endpoint, std::string_view detail) = 0;

 protected:
  ~ConnectionWaiter() = default;
};

// A place in the queue for a connection; destroying it gives the place up.
class Acquisition {
 public:
  virtual ~Acquisition() = default;
  // With whom the connection will be. Valid until the waiter is told.
  virtual const Endpoint& endpoint() const = 0;
};

// What a request wishes of the endpoint that is chosen for it. Everything it points to must live until the waiter was
// told or the acquisition is destroyed.
struct Wish {
  std::optional<uint64_t> hash{};                      // By the route's hash policy, for ring hash and Maglev.
  std::span<const Endpoint* const> avoid{};            // Tried by earlier attempts: another is taken if there is one.
  http::Protocol downstream = http::Protocol::Http11;  // For use_downstream_protocol_config.
  std::string_view authority = {};                     // The request's :authority, for auto_sni.
  bool high_priority = false;                          // The route's priority: which circuit breakers count it.
  // An endpoint by its address: taken before the policy's, whatever its priority and locality, if it can serve.
  std::string_view override_host = {};
  // Whose request it is, for PROXY protocol; null: our own.
  const filter::ConnectionInfo* client = nullptr;
};

// A connection of one's own with an endpoint, or why there is none.
struct StreamOffer {
  std::unique_ptr<net::ByteStream> stream;  // Connects when it is started. Null: see failure.
  std::shared_ptr<const Endpoint> endpoint;
  AcquireFailure failure = AcquireFailure::NoEndpoint;
};

// Valid for as long as it is in the configuration; longer only by a ClusterUse.
class Cluster {
 public:
  virtual ~Cluster() = default;
  virtual const ClusterSpec& spec() const = 0;
  virtual ClusterStats& stats() = 0;
  virtual const std::shared_ptr<const std::string>& metadata() const = 0;
  // Picks an endpoint and finds or opens a connection to it. Null if the waiter was told within the call, which is so
  // when a kept-alive connection is free, and then allocates nothing. Failures to connect are told from the loop.
  virtual std::unique_ptr<Acquisition> acquire(ConnectionWaiter& waiter, const Wish& wish) = 0;
  // Picks an endpoint and makes a connection that carries bytes instead of requests, for the TCP proxy: it is counted
  // and limited as the others, is not pooled, and ends with the stream, which keeps the cluster. It may be started
  // again: that hands it to another receiver. client: for whom it is made.
  virtual StreamOffer openStream(const Wish& wish, const filter::ConnectionInfo& client) {
    (void)wish, (void)client;
    return {};
  }
  // The endpoint that the balancer would take for this wish, for who keeps connections of its own. Null: none can
  // serve.
  virtual std::shared_ptr<const Endpoint> choose(const Wish& wish) {
    (void)wish;
    return nullptr;
  }
  // Delivers what such a stream has not sent yet, for as long as the endpoint takes it, and ends it. Whoever stands in
  // a call of the stream's may do this.
  virtual void flush(std::unique_ptr<net::ByteStream> stream) { stream.reset(); }
  // Valid until the loop's turn ends.
  virtual std::vector<const Endpoint*> endpoints() const = 0;

  // A place among the retries under way, if max_retries or retry_budget of the route's priority leave one; or else
  // upstream_rq_retry_overflow is counted. The caller counts upstream_rq_retry.
  virtual std::optional<RetryPlace> admitRetry(bool high_priority) = 0;
  // To be told of every request, once for each thing that comes of it. Cheap where there is no outlier detection.
  virtual void report(const Endpoint& endpoint, Outcome outcome, int status = 0) = 0;
  // Replaces the members of a cluster whose endpoints come from outside (Discovery::Assigned). Those that stay keep
  // their connections and health. Each worker's cluster has to be given it.
  virtual void assign(const Assignment& assignment) = 0;

 private:
  friend class ClusterUse;
  // The last use has ended.
  virtual void onUnused() {}
  uint32_t uses_ = 0;
};

// Keeps a cluster for who works with it beyond the call in which it was found (a request, a tunnel, a call): it may be
// taken out of the configuration meanwhile, and then ends with its last use. Costs an addition; one worker's thread.
class ClusterUse {
 public:
  ClusterUse() = default;
  explicit ClusterUse(Cluster& cluster) : cluster_(&cluster) { ++cluster.uses_; }
  ClusterUse(ClusterUse&& other) noexcept : cluster_(std::exchange(other.cluster_, nullptr)) {}
  ClusterUse& operator=(ClusterUse&& other) noexcept {
    std::swap(cluster_, other.cluster_);
    return *this;
  }
  ~ClusterUse() {
    if (cluster_ != nullptr && --cluster_->uses_ == 0) cluster_->onUnused();
  }
  explicit operator bool() const { return cluster_ != nullptr; }
  Cluster& operator*() const { return *cluster_; }
  Cluster* operator->() const { return cluster_; }

 private:
  Cluster* cluster_ = nullptr;
};

// The clusters of one worker. Must outlive the requests that use them.
class Clusters {
 public:
  virtual ~Clusters() = default;
  virtual Cluster* find(std::string_view name) = 0;
  virtual std::vector<Cluster*> all() = 0;
  // Adds a cluster, or one in the place of the cluster of that name. It warms first: until its first endpoints are
  // known (or the wait for them has failed) find() gives what was there before. What it replaces is removed then.
  // on_active: told from the loop when find() gives it; not told if it is replaced or removed before.
  virtual void put(const ClusterSpec& spec, std::function<void()> on_active) = 0;
  // find() does not give it any more, nor will one that still warms. Who uses it goes on, on connections that are
  // closed as they become idle.
  virtual void remove(std::string_view name) = 0;
  // Cluster::assign() for the cluster of this name, the one that warms if there is one.
  virtual void assign(std::string_view name, const Assignment& assignment) = 0;
  // Closes idle connections; busy ones as they become idle. For shutdown.
  virtual void drain() = 0;
};

// How connections are made; tests put their own in its place.
class Connector {
 public:
  virtual ~Connector() = default;
  // A stream that connects when it is started, and fails with Timeout after so long.
  virtual std::unique_ptr<net::ByteStream> connect(const net::Address& to, base::Duration timeout) = 0;
  // What the transport around a stream is to know. Not kept beyond the call.
  struct Purpose {
    std::string_view server_name = {};  // SNI by the request that asks for the connection; empty: as configured.
    bool only_http2 = false;            // By ALPN nothing else is offered where the configuration names no protocols.
    bool raw = false;    // For bytes that are not HTTP: only configured application protocols are offered.
    bool check = false;  // Of health: its bytes are not counted.
    const net::ProxyHeader* client = nullptr;  // As announcedClient() tells; null: it is for ourselves.
  };
  // The same for an endpoint, with its cluster's transport around the stream.
  virtual std::unique_ptr<net::ByteStream> connectTo(const Endpoint& endpoint, const Purpose& purpose,
                                                     base::Duration timeout) {
    (void)purpose;
    return connect(endpoint.address, timeout);
  }
};

struct Environment {
  event::Loop& loop;
  base::Random& random;
  stats::Store& stats;
  net::Resolver* resolver = nullptr;  // Null: the system's names.
  Connector* connector = nullptr;     // Null: sockets.
  SharedClusters* shared = nullptr;   // The same for all workers. Null: nothing is shared; for tests.
  bool leads = true;                  // Checks endpoints and counts members for all workers: true for one of them.
};

// DNS clusters start empty and fill; on_ready runs once, when every cluster has had its first answer or failure, from
// the loop and never within this call. Not told if the clusters are destroyed before.
std::unique_ptr<Clusters> createClusters(const std::vector<ClusterSpec>& specs, const Environment& environment,
                                         std::function<void()> on_ready);

// Envoy's cluster.<name>.* values. Each worker has this struct for itself; the values behind it are the process's, and
// the circuit breakers read them there: limits hold for all workers together, as Envoy's do.
struct ClusterStats {
  ClusterStats(stats::Store& store, std::string_view stat_name);  // "cluster.<stat_name>."
  stats::Counter& upstream_cx_total;
  stats::Counter& upstream_cx_http1_total;
  stats::Counter& upstream_cx_http2_total;
  stats::Counter& upstream_cx_close_notify;
  stats::Counter& upstream_cx_connect_fail;
  stats::Counter& upstream_cx_connect_timeout;
  stats::Counter& upstream_cx_destroy;
  stats::Counter& upstream_cx_destroy_remote;
  stats::Counter& upstream_cx_destroy_local;
  stats::Counter& upstream_cx_destroy_with_active_rq;
  stats::Counter& upstream_cx_destroy_local_with_active_rq;
  stats::Counter& upstream_cx_destroy_remote_with_active_rq;
  stats::Counter& upstream_cx_idle_timeout;
  stats::Counter& upstream_cx_max_requests;
  stats::Counter& upstream_cx_protocol_error;
  stats::Counter& upstream_cx_overflow;
  stats::Counter& upstream_cx_none_healthy;
  stats::Counter& upstream_cx_rx_bytes_total;
  stats::Counter& upstream_cx_tx_bytes_total;
  stats::Counter& upstream_rq_total;
  stats::Counter& upstream_rq_completed;
  stats::Counter& upstream_rq_1xx;
  stats::Counter& upstream_rq_2xx;
  stats::Counter& upstream_rq_3xx;
  stats::Counter& upstream_rq_4xx;
  stats::Counter& upstream_rq_5xx;
  stats::Counter& upstream_rq_timeout;
  stats::Counter& upstream_rq_retry;
  stats::Counter& upstream_rq_retry_success;
  stats::Counter& upstream_rq_retry_limit_exceeded;
  stats::Counter& upstream_rq_retry_overflow;
  stats::Counter& upstream_rq_retry_backoff_exponential;
  stats::Counter& upstream_rq_retry_backoff_ratelimited;
  stats::Counter& retry_or_shadow_abandoned;
  stats::Counter& upstream_rq_per_try_timeout;
  stats::Counter& upstream_rq_per_try_idle_timeout;
  stats::Counter& upstream_rq_max_duration_reached;
  stats::Counter& upstream_rq_pending_total;
  stats::Counter& upstream_rq_pending_overflow;
  stats::Counter& upstream_rq_pending_failure_eject;
  stats::Counter& upstream_rq_rx_reset;
  stats::Counter& upstream_rq_tx_reset;
  stats::Counter& upstream_rq_cancelled;
  stats::Counter& update_attempt;
  stats::Counter& update_success;
  stats::Counter& update_failure;
  stats::Counter& membership_change;
  stats::Gauge& upstream_cx_active;
  stats::Gauge& upstream_rq_active;
  stats::Gauge& upstream_rq_pending_active;
  stats::Gauge& membership_total;
  stats::Gauge& membership_healthy;
  stats::Histogram& upstream_rq_time;  // Milliseconds.
  stats::Histogram& upstream_cx_connect_ms;
  stats::Histogram& upstream_cx_length_ms;
  // Counts a final response: completed, its class, its code (cluster.<name>.upstream_rq_200).
  void countResponse(int status);
  // cluster.<name>.http2.*, made when the first connection by HTTP/2 is.
  http2::Stats& http2();
  // A response that is not the last, because the request is tried again (cluster.<name>.retry.upstream_rq_503).
  void countRetriedResponse(int status);
  stats::Store& store;
  std::string prefix;

 private:
  // Envoy counts every answer twice, because all requests count as external where no internal addresses are configured.
  struct ByStatus {
    stats::Counter* own = nullptr;
    stats::Counter* external = nullptr;
    stats::Counter* external_class = nullptr;
    stats::Counter* external_completed = nullptr;
  };
  std::array<ByStatus, 1000> by_status_{};  // Looked up when first counted.
  std::unique_ptr<http2::Stats> http2_;
};

}  // namespace weir::upstream
