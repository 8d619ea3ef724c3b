// A connection with an endpoint: a byte stream and the HTTP/1 codec that reads it. It connects, carries one request
// after the other, and waits in its pool in between.
//
// Owned by its pool, and destroyed at the end of the turn in which it closed, because the codec may stand up the stack.
#pragma once

#include <memory>

#include "event/loop.h"
#include "event/timer.h"
#include "http1/codec.h"
#include "net/byte_stream.h"
#include "upstream/cluster.h"

namespace weir::upstream {

class Connection final : public event::Deferred,
                         private net::ByteStream::Receiver,
                         private http::Wire,
                         private http1::ReadControl {
 public:
  class Pool {
   public:
    virtual void onConnected(Connection& connection) = 0;
    // It never came to be. It is closed; the pool must give it to the loop to be destroyed.
    virtual void onConnectFailed(Connection& connection, AcquireFailure why, std::string_view detail) = 0;
    // Its request is over and it can carry another. The request's receiver has not been told yet.
    virtual void onIdle(Connection& connection) = 0;
    // Back from the codec: the time to give idle connections to who waits.
    virtual void onReceived() = 0;
    // It is closed; as after onConnectFailed.
    virtual void onClosed(Connection& connection) = 0;

   protected:
    ~Pool() = default;
  };

  Connection(Pool& pool, event::Loop& loop, const ClusterSpec& spec, ClusterStats& stats,
             std::shared_ptr<const Endpoint> endpoint, std::unique_ptr<net::ByteStream> stream);
  ~Connection() override;

  // Connects, and tells the pool what came of it.
  void start();
  // Gives an idle connection to a waiter, which begins its request within the call.
  void grant(ConnectionWaiter& waiter);
  // For idle connections.
  void closeIdle() { close(false); }
  // Closes when the request under way is over.
  void closeAfterRequest() { last_request_ = true; }

  // Where the pool keeps it.
  size_t position = 0;

 private:
  enum class State : uint8_t { Connecting, Idle, Busy, Closed };

  // net::ByteStream::Receiver
  void onConnected() override;
  void onBytes(base::BufferChain& received) override;
  void onEnd() override;
  void onClosed(const base::Error& why) override;
  void onBlocked() override { codec_->wireBlocked(); }
  void onDrained() override { codec_->wireDrained(); }
  // http::Wire
  void send(base::BufferChain& bytes) override;
  // http1::ReadControl
  void onPauseConnection() override { stream_->pauseReading(); }
  void onResumeConnection() override { stream_->resumeReading(); }
  void onStreamOver() override;

  void onConnectError(const base::Error& why);
  void flush();
  void close(bool by_peer, bool within_request = false);
  void countEnd(bool by_peer, bool within_request);

  Pool& pool_;
  event::Loop& loop_;
  const ClusterSpec& spec_;
  ClusterStats& stats_;
  const std::shared_ptr<const Endpoint> endpoint_;
  std::unique_ptr<net::ByteStream> stream_;
  std::shared_ptr<const net::TlsInfo> tls_;
  std::unique_ptr<http::ClientCodec> codec_;
  const base::MonotonicTime started_;
  ConnectionFacts facts_;
  State state_ = State::Connecting;
  bool receiving_ = false;  // Within the codec's receive(): what ends a request there is its response.
  bool peer_went_ = false;
  bool last_request_ = false;
  uint64_t requests_ = 0;
  base::BufferChain out_;  // What was written in this turn: head and body leave together at its end.
  event::TurnEnd flush_;
  event::Timer idle_timer_;
};

}  // namespace weir::upstream
