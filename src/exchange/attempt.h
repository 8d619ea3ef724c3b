// One try at getting a request answered by an upstream: it waits for a connection, sends the request, and hands the
// response to its owner. Request parts given before there is a connection are kept.
//
// Owned by the Exchange; destroying it gives up (resets) whatever is under way, and nothing more is told.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "event/loop.h"
#include "http/codec.h"
#include "upstream/tcp_tunnel.h"

namespace weir::exchange {

class Attempt final : public event::Deferred, private upstream::ConnectionWaiter, private http::StreamReceiver {
 public:
  // Told by the attempt. After onAttemptFailed or onAttemptNoConnection nothing else is told.
  class Owner {
   public:
    virtual void onAttemptConnected(const upstream::ConnectionWaiter::Granted& granted) = 0;
    virtual void onAttemptInformational(http::HeaderMap& headers) = 0;
    virtual void onAttemptHeaders(http::HeaderMap& headers, bool end_stream) = 0;
    virtual void onAttemptBody(base::BufferChain& bytes, bool end_stream) = 0;
    virtual void onAttemptTrailers(http::HeaderMap& trailers) = 0;
    virtual void onAttemptNoConnection(upstream::AcquireFailure why, const upstream::Endpoint* endpoint,
                                       std::string_view detail) = 0;
    // The stream broke. on_reused: it was a kept-alive connection, or the peer refused the stream, and not a byte of a
    // response had come.
    virtual void onAttemptReset(http::ResetReason reason, std::string_view detail, bool on_reused) = 0;
    // The response is complete, and the peer has not waited for the request's end: the rest of it goes nowhere.
    virtual void onAttemptWantsNoMore() = 0;
    // Flow control of the request.
    virtual void onAttemptBlocked() = 0;
    virtual void onAttemptDrained() = 0;

   protected:
    ~Owner() = default;
  };

  // headers must outlive the attempt. Body kept while there is no connection blocks the sender above buffer_limit.
  // switches: the request asks for another protocol; its body waits until the answer has granted it.
  Attempt(Owner& owner, upstream::Cluster& cluster, const upstream::Wish& wish, const http::HeaderMap& headers,
          bool end_stream, bool switches, size_t buffer_limit);
  ~Attempt() override;

  // Before start(): what is sent is bytes for a connection of its own, and no request (connect_config). client: whose
  // they are; must outlive the attempt.
  void endHere(event::Loop& loop, const filter::ConnectionInfo& client);
  // May tell the owner before it returns.
  void start();
  void sendBody(base::BufferChain& bytes, bool end_stream);
  // trailers must outlive the attempt.
  void sendTrailers(const http::HeaderMap& trailers);
  void pauseReceiving();
  void resumeReceiving();
  // Gives up: nothing is told from here on. Must live until the end of the turn (Loop::destroyLater).
  void abandon();

  // Has a connection, and its stream has not ended.
  bool connected() const { return stream_ != nullptr; }
  // What has gone over the wire for it so far.
  filter::WireBytes wire() const;
  // Counts the answer for the endpoint, if one was reached.
  void countAnswer(int status);
  void countTimeout();
  // It failed, and there will be another one. status: of its answer; zero if it had none.
  void countRetried(int status = 0);

 private:
  // upstream::ConnectionWaiter
  void onConnection(const Granted& granted) override;
  void sendWaiting();
  void settleHeldBody(const http::HeaderMap& answer);
  void onNoConnection(upstream::AcquireFailure why, const upstream::Endpoint* endpoint,
                      std::string_view detail) override;
  // http::StreamReceiver
  void onHeaders(http::HeaderMap& headers, bool end_stream) override;
  void onBody(base::BufferChain& bytes, bool end_stream) override;
  void onTrailers(http::HeaderMap& trailers) override;
  void onInformational(http::HeaderMap& headers) override;
  void onReset(http::ResetReason reason, std::string_view detail) override;
  void onComplete() override;
  void onSendBlocked() override;
  void onSendDrained() override;

  Owner& owner_;
  upstream::Cluster& cluster_;
  upstream::Wish wish_;
  const http::HeaderMap& headers_;
  std::unique_ptr<upstream::Acquisition> acquisition_;
  std::unique_ptr<upstream::TcpTunnel> tcp_;        // Instead, after endHere().
  const filter::ConnectionInfo* client_ = nullptr;  // The same.
  const upstream::Endpoint* endpoint_ = nullptr;    // Held by the connection; valid while stream_ is.
  http::Stream* stream_ = nullptr;                  // Null before a connection was found and after the stream's end.
  base::BufferChain waiting_body_;
  const http::HeaderMap* waiting_trailers_ = nullptr;
  const size_t buffer_limit_;
  const bool headers_only_;
  bool request_ended_;
  bool holds_body_;               // There is a stream, and nothing but the headers may be sent on it yet.
  bool blocked_waiting_ = false;  // Told onAttemptBlocked() because too much body waits for a connection.
  filter::WireBytes wire_;        // Once the stream has ended.
  bool reused_ = false;
  bool response_started_ = false;
  bool response_ended_ = false;
  bool tunnel_ = false;  // Granted: each direction ends by itself.
  bool over_ = false;
  int paused_ = 0;
};

}  // namespace weir::exchange
