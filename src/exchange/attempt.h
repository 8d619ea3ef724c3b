// One try at getting a request answered by an upstream: it waits for a connection, sends the request, and hands the
// response to its owner. Request parts given before there is a connection are kept.
//
// Owned by the Exchange; destroying it gives up (resets) whatever is under way, and nothing more is told.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/recycled.h"
#include "event/loop.h"
#include "filter/filter.h"
#include "http/codec.h"
#include "upstream/tcp_tunnel.h"

namespace weir::exchange {

class AttemptFilters;

class Attempt final : public base::Recycled,
                      public event::Deferred,
                      private upstream::ConnectionWaiter,
                      private http::StreamReceiver {
 public:
  // Told by the attempt. After onAttemptFailed or onAttemptNoConnection nothing else is told.
  class Owner {
   public:
    virtual void onAttemptConnected(const upstream::ConnectionWaiter::Granted& granted) = 0;
    virtual void onAttemptInformational(http::HeaderMap& headers) = 0;
    virtual void onAttemptHeaders(http::HeaderMap& headers, bool end_stream) = 0;
    virtual void onAttemptBody(base::BufferChain& bytes, bool end_stream) = 0;
    virtual void onAttemptTrailers(http::HeaderMap& trailers) = 0;
    virtual void onAttemptMetadata(http::Metadata& metadata) = 0;  // Before the headers, too.
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
    // By its filters, see filterBy(). Before they see the request: with whom it will be.
    virtual void onAttemptChosen(const upstream::Endpoint& endpoint) = 0;
    // One of them answers in the upstream's place, or ends the client's stream. The attempt is to be abandoned.
    virtual void onAttemptReply(const filter::LocalReply& reply) = 0;
    virtual void onAttemptStreamReset() = 0;

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
  // Before start(): the request passes the upstream's own filters on its way out, and the answer in reverse (see
  // attempt_filters.h). Not with endHere(). headers: those that the attempt was made with, which the filters may
  // change.
  void filterBy(const std::vector<filter::FilterFactory*>& filters, http::HeaderMap& headers, event::Loop& loop,
                filter::StreamInfo& info);
  // May tell the owner before it returns.
  void start();
  void sendBody(base::BufferChain& bytes, bool end_stream);
  // trailers must outlive the attempt.
  void sendTrailers(const http::HeaderMap& trailers);
  void sendMetadata(const http::Metadata& metadata);
  void pauseReceiving();
  void resumeReceiving();
  bool receivingPaused() const { return paused_ > 0; }
  // Nothing more is sent or told, but the filters are not done yet: abandon() has to follow.
  void silence();
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
  void sendHead();
  void sendWaiting();
  void sendWaitingMetadata();
  const upstream::Endpoint* endpointReached() const { return stream_ != nullptr ? endpoint_ : held_endpoint_.get(); }

  // For the filters: what has passed them.
  friend class AttemptFilters;
  void passHeaders(bool end_stream);
  void passBody(base::BufferChain& bytes, bool end_stream);
  void passTrailers(const http::HeaderMap& trailers);
  void passMetadata(const http::Metadata& metadata);
  void settleHeldBody(const http::HeaderMap& answer);
  void onNoConnection(upstream::AcquireFailure why, const upstream::Endpoint* endpoint,
                      std::string_view detail) override;
  // http::StreamReceiver
  void onHeaders(http::HeaderMap& headers, bool end_stream) override;
  void onBody(base::BufferChain& bytes, bool end_stream) override;
  void onTrailers(http::HeaderMap& trailers) override;
  void onMetadata(http::Metadata& metadata) override;
  void onInformational(http::HeaderMap& headers) override;
  void onReset(http::ResetReason reason, std::string_view detail) override;
  void onComplete() override;
  void onSendBlocked() override;
  void onSendDrained() override;

  Owner* owner_;  // The exchange; or the filters, who tell it.
  upstream::Cluster& cluster_;
  upstream::Wish wish_;
  const http::HeaderMap& headers_;
  std::unique_ptr<upstream::Acquisition> acquisition_;
  std::unique_ptr<upstream::TcpTunnel> tcp_;                 // Instead, after endHere().
  const filter::ConnectionInfo* client_ = nullptr;           // The same.
  const upstream::Endpoint* endpoint_ = nullptr;             // Held by the connection; valid while stream_ is.
  std::unique_ptr<AttemptFilters> filters_;                  // Null: nothing stands between.
  std::shared_ptr<const upstream::Endpoint> held_endpoint_;  // With filters: they may hold the answer for longer.
  http::Stream* stream_ = nullptr;  // Null before a connection was found and after the stream's end.
  base::BufferChain waiting_body_;
  const http::HeaderMap* waiting_trailers_ = nullptr;
  std::vector<http::Metadata> waiting_metadata_;  // For the headers to be sent.
  const size_t buffer_limit_;
  const bool switches_;
  bool headers_only_;
  bool held_ = false;  // By the filters: nothing may be sent yet.
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
