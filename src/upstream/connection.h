// A connection with an endpoint: a byte stream and the codec that reads it. It connects, carries requests, by HTTP/1
// one after the other, by HTTP/2 as many at a time as the peer takes, and waits in its pool in between.
//
// Owned by its pool, and destroyed at the end of the turn in which it closed, because the codec may stand up the stack.
#pragma once

#include <memory>

#include "event/lazy_timer.h"
#include "event/loop.h"
#include "event/timer.h"
#include "http1/codec.h"
#include "http2/codec.h"
#include "net/byte_stream.h"
#include "upstream/cluster.h"
#include "upstream/keepalive.h"

namespace weir::upstream {

// For connections by HTTP/2 to this cluster's endpoints.
http2::Settings http2Settings(const ClusterSpec& spec);

class Connection final : public event::Deferred,
                         private net::ByteStream::Receiver,
                         private http::Wire,
                         private http1::ReadControl,
                         private http2::Owner {
 public:
  class Pool {
   public:
    virtual void onConnected(Connection& connection) = 0;
    // It never came to be. It is closed; the pool must give it to the loop to be destroyed.
    virtual void onConnectFailed(Connection& connection, AcquireFailure why, std::string_view detail) = 0;
    // A request is over and it can carry another. The request's receiver has not been told yet.
    virtual void onIdle(Connection& connection) = 0;
    // Back from the codec: the time to give idle connections to who waits.
    virtual void onReceived() = 0;
    // It is closed; as after onConnectFailed.
    virtual void onClosed(Connection& connection) = 0;

   protected:
    ~Pool() = default;
  };

  // How it speaks; ByAlpn: HTTP/2 if that is what TLS agreed on.
  enum class Speaks : uint8_t { Http1, Http2, ByAlpn };

  Connection(Pool& pool, event::Loop& loop, base::Random& random, const ClusterSpec& spec, ClusterStats& stats,
             Breakers& breakers, std::shared_ptr<const Endpoint> endpoint, std::unique_ptr<net::ByteStream> stream,
             Speaks speaks);
  ~Connection() override;

  // Connects, and tells the pool what came of it.
  void start();
  // Gives a connection that takesMore() to a waiter, which begins its request within the call.
  void grant(ConnectionWaiter& waiter);
  // Can carry a further request now.
  bool takesMore() const;
  bool idle() const { return state_ == State::Idle; }
  // Known once it is connected.
  bool speaksHttp2() const { return http2_; }
  // For idle connections.
  void closeIdle() { close(false); }
  // Closes when the requests under way are over.
  void closeAfterRequest() { last_request_ = true; }

  // Where the pool keeps it.
  size_t position = 0;
  size_t lane = 0;
  bool ready = false;  // It is among those that can carry a request.

 private:
  // Flushing: over, but for a tunnel's last bytes, which the endpoint is given time to take.
  enum class State : uint8_t { Connecting, Idle, Busy, Flushing, Closed };

  // net::ByteStream::Receiver
  void onConnected() override;
  void onBytes(base::BufferChain& received) override;
  void onEnd() override;
  void onClosed(const base::Error& why) override;
  void onBlocked() override {
    if (codec_ != nullptr) codec_->wireBlocked();
  }
  void onDrained() override {
    if (codec_ != nullptr) codec_->wireDrained();
  }
  void onFlushed() override { pool_.onClosed(*this); }
  // http::Wire
  void send(base::BufferChain& bytes) override;
  size_t unsent() const override { return out_.size() + stream_->unsent(); }
  void sendEnd() override;
  // http1::ReadControl
  void onPauseConnection() override { stream_->pauseReading(); }
  void onResumeConnection() override { stream_->resumeReading(); }
  void onStreamOver() override;  // http2::Owner's too.
  // http2::Owner
  void onWorkWaiting() override { work_.schedule(); }
  void onStreamReset(http::ResetReason reason) override;
  void onGoAway(uint32_t code) override;
  void onPingAnswered() override {
    if (keepalive_) keepalive_->onAnswered();
  }

  void useCodec();
  void useHttp2();
  void onSilence();
  void work();
  void feed(base::BufferChain& received);
  void onConnectError(const base::Error& why);
  void flush();
  void close(bool by_peer, bool within_request = false);
  void countRequestOver();
  void countEnd(bool by_peer, bool within_request);

  Pool& pool_;
  event::Loop& loop_;
  base::Random& random_;
  const ClusterSpec& spec_;
  ClusterStats& stats_;
  Breakers& breakers_;
  const std::shared_ptr<const Endpoint> endpoint_;
  std::unique_ptr<net::ByteStream> stream_;
  std::shared_ptr<const net::TlsInfo> tls_;
  std::unique_ptr<http::ClientCodec> codec_;  // Null before it is connected.
  const Speaks speaks_;
  const base::MonotonicTime started_;
  ConnectionFacts facts_;
  State state_ = State::Connecting;
  bool receiving_ = false;  // Within the codec's receive(): what ends a request there is its response.
  bool peer_went_ = false;
  bool tunnelled_ = false;  // A tunnel has ended its direction.
  bool end_asked_ = false;  // FIN follows what is in out_.
  bool last_request_ = false;
  bool http2_ = false;
  uint64_t requests_ = 0;
  size_t streams_ = 0;     // Requests under way.
  base::BufferChain out_;  // What was written in this turn: head and body leave together at its end.
  event::TurnEnd flush_;
  event::TurnEnd work_;  // What the HTTP/2 codec has put off.
  event::LazyTimer idle_timer_;
  std::optional<Keepalive> keepalive_;  // By HTTP/2, where it is configured.
};

}  // namespace weir::upstream
