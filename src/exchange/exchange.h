// One request and its response, from the first header to the log: what docs/life-of-a-request.md tells, in its words.
//
//   receive -> prepare -> filters -> route -> attempt -> relay -> filters in reverse -> answer -> log
//
// Owned by its ClientConnection until it is over, then destroyed at the end of the turn. It ends in one of three ways:
// the answer has been written whole, the client's stream was reset (by either side), or the connection is gone.
#pragma once

#include <memory>
#include <optional>

#include "base/recycled.h"
#include "event/timer.h"
#include "exchange/attempt.h"
#include "exchange/http_manager.h"
#include "exchange/retries.h"
#include "exchange/timeouts.h"
#include "filter/chain.h"
#include "format/entry.h"
#include "http/codec.h"

namespace weir::exchange {

class ClientConnection;

class Exchange final : public base::Recycled,
                       public event::Deferred,
                       private http::StreamReceiver,
                       private filter::Ends,
                       private Attempt::Owner,
                       private RetryLimit {
 public:
  Exchange(ClientConnection& connection, http::Stream& stream);
  ~Exchange() override;

  http::StreamReceiver& receiver() { return *this; }

 private:
  // ---- receive: the client's side, http::StreamReceiver (exchange.cc)
  void onHeaders(http::HeaderMap& headers, bool end_stream) override;
  void onBody(base::BufferChain& bytes, bool end_stream) override;
  void onTrailers(http::HeaderMap& trailers) override;
  void onMetadata(http::Metadata& metadata) override;
  void onMalformed(int status, const base::Error& why) override;
  void onReset(http::ResetReason reason, std::string_view detail) override;
  void onComplete() override;
  void onSendBlocked() override;
  void onSendDrained() override;
  void requestEnded();
  void addFilters(uint32_t choice = 0);
  bool judgeUnderscores();

  // ---- route and attempt: the request has passed the filters (forward.cc)
  void forwardRequestHeaders(http::HeaderMap& headers, bool end_stream) override;
  void forwardRequestBody(base::BufferChain& bytes, bool end_stream) override;
  void forwardRequestTrailers(http::HeaderMap& trailers) override;
  void forwardRequestMetadata(http::Metadata& metadata) override;
  const route::Match* route();
  void answerDirectly();
  void redirect();
  void finalizeRequest();
  void tellTimeouts(base::Duration spent);
  void hashRequest();
  upstream::Wish wish() const;
  void startTry(bool end_stream);
  std::vector<filter::FilterFactory*> upstreamFilters() const;
  void forwardEnded();
  void onRouteTimeout();
  void answerTimeout(std::string_view details);
  bool canRepeat() const;

  // ---- other protocols on this connection (tunnel.cc)
  std::string_view wantedProtocol() const;
  bool upgradeAllowed();
  bool settleUpgrade();
  bool takesTunnel(int status) const;
  void beginTunnel();
  bool endsHere() const;

  // ---- further attempts (retry.cc)
  void prepareRetries();
  size_t retryBufferLimit() const;
  bool roomForRetries(size_t more);
  bool keepForRetries(const base::BufferChain& bytes);
  void keepForRetries(http::Metadata& metadata);
  bool endRetries();
  // True: there will be another try; drop the one that ended.
  bool retryAfterResponse(const http::HeaderMap& headers, int status);
  bool retryAfterFailure(RetryState::Failure failure);
  bool settleDecision(const RetryState::Decision& decision, upstream::ClusterStats& stats);
  void dropTry();
  void tryAgain();
  void noteAttempts(http::HeaderMap& response) const;
  void noteTried(const upstream::Endpoint& endpoint);
  void repeatBody();
  void tellHeldMetadata();
  void armTryTimers();
  void touchTryIdleTimer();
  void onTryTimeout();
  void onTryIdleTimeout();
  void endTryLate(std::string_view details);
  bool takeRetry() override;
  void giveRetryBack() override;

  // ---- relay: the upstream's answer, Attempt::Owner (relay.cc)
  void onAttemptConnected(const upstream::ConnectionWaiter::Granted& granted) override;
  void onAttemptInformational(http::HeaderMap& headers) override;
  void onAttemptHeaders(http::HeaderMap& headers, bool end_stream) override;
  void onAttemptBody(base::BufferChain& bytes, bool end_stream) override;
  void onAttemptTrailers(http::HeaderMap& trailers) override;
  void onAttemptMetadata(http::Metadata& metadata) override;
  void onAttemptNoConnection(upstream::AcquireFailure why, const upstream::Endpoint* endpoint,
                             std::string_view detail) override;
  void onAttemptReset(http::ResetReason reason, std::string_view detail, bool on_reused) override;
  void onAttemptWantsNoMore() override;
  void onAttemptBlocked() override;
  void onAttemptDrained() override;
  void onAttemptChosen(const upstream::Endpoint& endpoint) override;
  void onAttemptReply(const filter::LocalReply& reply) override { chain_.sendLocalReply(reply); }
  void onAttemptStreamReset() override { chain_.resetStream(); }
  void responseEnded();

  // ---- answer: the response has passed the filters (answer.cc)
  void answerHeaders(http::HeaderMap& headers, bool end_stream) override;
  void answerBody(base::BufferChain& bytes, bool end_stream) override;
  void answerTrailers(http::HeaderMap& trailers) override;
  void answerMetadata(http::Metadata& metadata) override;
  http::HeaderMap& makeLocalReply(const filter::LocalReply& given, base::BufferChain& body) override;
  void abandonUpstream() override;
  void silenceUpstream();
  void resetClientStream() override;
  void dropClientStream(http::ResetReason reason);
  void replyLocally(int status, std::string_view details, std::string body = {}, filter::ResponseFlag flag = kNoFlag);
  void answerWithoutStatus();
  void answered();
  // ---- access logs (logging.cc)
  format::Entry logEntry(format::LogType type) const;
  void writeAccessLogs(format::LogType type);
  void noteBytes();
  void noteConnection(const upstream::ConnectionWaiter::Granted& granted);
  void startPeriodicLog();

  // The end: counts, log and destroy for the filters, and the connection is told.
  void finish();

  // ---- for the filters: filter::Ends (exchange.cc)
  void pauseRequest() override;
  void resumeRequest() override;
  void pauseResponse() override;
  void resumeResponse() override;
  bool responsePaused() const override { return response_pauses_ > 0; }
  void clearRouteCache() override;
  event::Loop& loop() override { return manager_.loop; }
  filter::StreamInfo& info() override { return info_; }
  size_t bufferLimit() const override { return manager_.buffer_limit; }

  // ---- timers (durations.cc)
  void startTimers();
  void stopTimers();
  // The route's own limits, each time a route has been found.
  void applyRouteLimits();
  void limitDuration();
  void onDurationReached();
  void touchIdleTimer();
  void onIdleTimeout();
  void onRequestTimeout(std::string_view details);
  void onHeadersTimeout();

  static constexpr auto kNoFlag = static_cast<filter::ResponseFlag>(63);

  ClientConnection& connection_;
  HttpManager& manager_;
  http::Stream* stream_;  // Null once the codec has let go of it.
  filter::StreamInfo info_;
  filter::Chain chain_{*this};

  http::HeaderMap request_headers_;
  http::HeaderMap request_trailers_;
  http::HeaderMap response_headers_;
  http::HeaderMap response_trailers_;

  std::optional<route::Match> route_;
  bool route_known_ = false;      // route_ is up to date (and may be empty: no route).
  const uint64_t random_;         // Decides weights and fractions, the same for the whole request.
  upstream::ClusterUse cluster_;  // Of the route that forwards; before attempt_, which works with it.
  std::unique_ptr<Attempt> attempt_;
  Timeouts timeouts_;
  std::optional<upstream::RetryPlace> retry_place_;  // Held while a retry is under way; gone before cluster_.
  std::unique_ptr<Retries> retries_;                 // Null: no retries and no timeouts of single tries.
  const http::HeaderMap* forwarded_trailers_ = nullptr;
  base::MonotonicTime attempt_started_;
  base::MonotonicTime forward_ended_at_;
  int timeout_status_ = 504;  // Or what the request asked for.
  int response_pauses_ = 0;   // How often the response's sender is asked to wait: also an attempt that is yet to come.

  event::Timer route_timer_;
  event::Timer idle_timer_;
  event::Timer request_timer_;
  event::Timer headers_timer_;
  event::Timer duration_timer_;
  std::optional<event::Timer> log_timer_;  // access_log_flush_interval
  base::MonotonicTime last_activity_;
  std::optional<base::Duration> idle_timeout_;  // The manager's, or the route's once it is known.

  std::optional<uint64_t> hash_;
  std::vector<std::string> set_cookies_;  // Made by a hash policy, for the answer.

  bool switches_ = false;         // The request asks for another protocol.
  bool tunnel_ = false;           // It has got it.
  bool rest_unwanted_ = false;    // Of the request: the upstream takes no more of it.
  bool upgrade_counted_ = false;  // In downstream_cx_upgrades_active.
  bool filters_added_ = false;
  bool has_router_ = true;        // See FilterPlan.
  bool response_closes_ = false;  // The connection ends with this answer.
  bool head_request_ = false;
  bool grpc_request_ = false;
  bool request_ended_ = false;   // By the client.
  bool forward_ended_ = false;   // Forwarded to its end.
  bool body_forwarded_ = false;  // Body bytes have gone to an attempt.
  bool attempt_blocked_ = false;
  bool response_seen_ = false;  // The response that will be the answer has begun.
  bool is_repeat_ = false;      // Of a request that a dead kept-alive connection took.
  bool retried_ = false;        // By policy.
  bool by_router_ = false;      // The answer is our own, in place of an upstream's.
  bool upstream_ended_ = false;
  bool answer_started_ = false;
  bool answer_ended_ = false;
  bool over_ = false;
};

}  // namespace weir::exchange
