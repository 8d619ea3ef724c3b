// A client's connection: a byte stream, the codec that reads it, and the requests that are open on it.
//
// Which codec it is, is known when the first bytes come: by configuration, by what TLS has agreed on (ALPN), or by
// HTTP/2's preface. As Envoy, no upgrade from HTTP/1.1 to h2c (RFC 9113 3.1 has it obsolete).
//
// Owned by the listener's worker through Owner; it ends itself (peer gone, error, idle, drained) and then tells the
// owner, which gives it to the loop to be destroyed at the end of the turn. One worker's thread.
#pragma once

#include <memory>
#include <vector>

#include "event/lazy_timer.h"
#include "event/loop.h"
#include "event/timer.h"
#include "exchange/http_manager.h"
#include "http/codec.h"
#include "http2/codec.h"
#include "net/byte_stream.h"
#include "upstream/keepalive.h"

namespace weir::exchange {

// Envoy's response code details of a request whose client answers no pings.
inline constexpr std::string_view kPingTimeout = "downstream_local_disconnect(http2_ping_timeout)";

class Exchange;

class ClientConnection final : public event::Deferred,
                               private net::ByteStream::Receiver,
                               private http::Wire,
                               private http::ServerCodec::Events,
                               private http2::Owner {
 public:
  static constexpr base::Duration kFirstRequestGrace = std::chrono::milliseconds(500);
  // For a client of HTTP/2 to send what it had begun before it saw GOAWAY, if it does not answer pings.
  static constexpr base::Duration kGoAwayGrace = std::chrono::seconds(1);

  class Owner {
   public:
    // The connection is closed. The owner must keep it alive until the end of the turn (Loop::destroyLater).
    virtual void onConnectionClosed(ClientConnection& connection) = 0;

   protected:
    ~Owner() = default;
  };

  ClientConnection(HttpManager& manager, Owner& owner, std::unique_ptr<net::ByteStream> stream,
                   filter::ConnectionInfo info);
  ~ClientConnection() override;

  void start();
  // Finishes what is open, asks the client to go, and closes: an idle connection after kFirstRequestGrace, because a
  // request may be on its way to us and nobody would repeat it, and one by HTTP/2 when the client has seen GOAWAY.
  void drain();
  // The client is asked to go with the next answer; an idle connection stays.
  void askToGo();
  // Ends now; open requests are reset.
  void closeNow();

  HttpManager& manager() { return manager_; }
  const filter::ConnectionInfo& info() const { return info_; }
  // For a log of the connection as such: its bytes, whatever they were for, and how it ended.
  filter::StreamInfo summary() const;

  // For Exchange: what has come and waits may be read now.
  void continueReading() { next_.schedule(); }
  // For Exchange: it is over; it will be destroyed at the end of the turn.
  void onExchangeOver(Exchange& exchange);
  uint64_t requestsSeen() const { return requests_; }

 private:
  // net::ByteStream::Receiver
  void onBytes(base::BufferChain& received) override;
  void onEnd() override;
  void onClosed(const base::Error& why) override;
  void onBlocked() override;
  void onDrained() override;
  void onFlushed() override;
  // http::Wire
  void send(base::BufferChain& bytes) override;
  size_t unsent() const override { return out_.size() + stream_->unsent(); }
  void sendEnd() override;
  // http::ServerCodec::Events
  http::StreamReceiver& onNewStream(http::Stream& stream) override;
  void onPauseConnection() override;
  void onResumeConnection() override;
  // http2::Owner
  void onWorkWaiting() override { next_.schedule(); }
  void onPingAnswered() override {
    if (keepalive_) keepalive_->onAnswered();
  }

  // False as long as too little has come to tell.
  bool chooseCodec();
  void useHttp1();
  void useHttp2();
  void countHttp2Fault(const base::Error& why);
  void noteFault(const base::Error& why);
  // Feeds the codec with what has come; again when a response has been completed, because a pipelined request may wait.
  void dispatch();
  void flush();
  void closeIfFinished();
  // Flush: the owner is told when what was written has gone; else at once.
  void close(net::ByteStream::Close how, bool by_peer);
  void countBusyEnd(bool by_peer);
  void armIdleTimer();
  void onIdle();
  void onSilence();
  void onDurationReached();

  HttpManager& manager_;
  Owner& owner_;
  std::unique_ptr<net::ByteStream> stream_;
  filter::ConnectionInfo info_;
  std::unique_ptr<http::ServerCodec> codec_;  // Null until the first bytes came.
  bool http2_ = false;                        // It is HTTP/2's.
  std::vector<std::unique_ptr<Exchange>> exchanges_;
  base::BufferChain received_;  // Not yet consumed by the codec.
  base::BufferChain out_;       // Written at the end of the turn.
  event::TurnEnd flush_;        // Head and body of a turn leave together.
  event::TurnEnd next_;         // The next pipelined request, once the last one's upstream has its connection back; or
                                // what the HTTP/2 codec has put off.
  event::LazyTimer idle_timer_;
  event::Timer duration_timer_;
  std::optional<upstream::Keepalive> keepalive_;  // By HTTP/2, where it is configured.
  base::MonotonicTime started_;
  uint64_t requests_ = 0;
  uint64_t bytes_received_ = 0;
  uint64_t bytes_sent_ = 0;
  bool dispatching_ = false;
  bool dispatch_again_ = false;
  bool end_asked_ = false;  // FIN follows what is in out_.
  bool silent_ = false;     // The client has answered no ping.
  bool failed_ = false;     // The codec gave up: close after what it wrote.
  bool spoke_ = false;      // The client has said something that the codec took.
  bool leaving_ = false;    // The idle timer ends the connection for good.
  bool closed_ = false;
};

}  // namespace weir::exchange
