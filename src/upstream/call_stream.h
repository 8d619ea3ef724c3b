// A request of our own to a cluster, part by part: what single calls (http_call.h) and gRPC (grpc_stream.h) stand on.
//
// Behaves as Envoy's async client. What goes wrong before the answer has begun is an answer too, made here: 503, 502 or
// 504 with a text, and with trailers alone where the request is gRPC. What goes wrong later is a reset. Where the
// cluster has filters of its own, the parts of request and answer pass those (call_filters.h).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "event/lifeline.h"
#include "event/timer.h"
#include "upstream/call_filters.h"
#include "upstream/cluster.h"

namespace weir::upstream {

class CallStream final : private ConnectionWaiter, private http::StreamReceiver, private CallFilters::Owner {
 public:
  // Any of these may destroy the stream. onCallEnd or onCallReset is the last that is told.
  class Receiver {
   public:
    virtual void onCallHeaders(http::HeaderMap& headers, bool end_stream) = 0;
    virtual void onCallBody(base::BufferChain& bytes, bool end_stream) = 0;
    virtual void onCallTrailers(http::HeaderMap& trailers) = 0;
    // The answer is complete.
    virtual void onCallEnd() = 0;
    virtual void onCallReset(http::ResetReason reason) = 0;

   protected:
    ~Receiver() = default;
  };

  struct Options {
    base::Duration timeout{};  // From start() to the answer's end. Zero: none.
    bool says_internal = true;
  };

  CallStream(Cluster& cluster, event::Loop& loop, Receiver& receiver, const Options& options);
  // Gives up what is under way.
  ~CallStream();

  // headers: with :method, :path and :authority. May tell the receiver all before it returns (no endpoint).
  void start(http::HeaderMap headers, bool end_stream);
  // What is sent before there is a connection is kept. After the end of the request, and of the answer: dropped.
  void sendBody(base::BufferChain& bytes, bool end_stream);
  void sendTrailers(http::HeaderMap trailers);
  // Bytes of the body that have not gone to the wire yet, framing left out of account.
  size_t waiting() const;
  // Gives up: nothing is told from here on.
  void abandon();
  // What came of it, as %RESPONSE_CODE_DETAILS%.
  const std::string& details() const { return details_; }

 private:
  // ConnectionWaiter
  void onConnection(const Granted& granted) override;
  void onNoConnection(AcquireFailure why, const Endpoint* endpoint, std::string_view detail) override;
  // http::StreamReceiver
  void onHeaders(http::HeaderMap& headers, bool end_stream) override;
  void onBody(base::BufferChain& bytes, bool end_stream) override;
  void onTrailers(http::HeaderMap& trailers) override;
  void onReset(http::ResetReason reason, std::string_view detail) override;
  void onComplete() override;
  // CallFilters::Owner. Without filters all passes at once.
  void passHeaders(const http::HeaderMap& headers, bool end_stream) override;
  void passBody(base::BufferChain& bytes, bool end_stream) override;
  void passTrailers(http::HeaderMap trailers) override;
  void onPassedHeaders(http::HeaderMap& headers, bool end_stream) override;
  void onPassedBody(base::BufferChain& bytes, bool end_stream) override;
  void onPassedTrailers(http::HeaderMap& trailers) override;
  void onFilterReply(const filter::LocalReply& reply) override;
  void onFilterReset() override;
  void pauseAnswer() override;
  void resumeAnswer() override;

  bool filtered() const { return filters_ != nullptr && !filters_->ended(); }
  const Endpoint* endpointReached() const { return stream_ != nullptr ? endpoint_ : held_endpoint_.get(); }
  void addEnvoyHeaders();
  void requestEnded();
  void onTimeout();
  void sendHead();
  void dropStream();
  void end();
  void answer(int status, std::string_view text, bool overloaded = false);
  void tell(http::HeaderMap headers, std::string_view body);
  void fail(http::ResetReason reason);
  void finishIfDone();

  const ClusterUse cluster_;
  event::Loop& loop_;
  Receiver& receiver_;
  const Options options_;
  event::Timer timeout_;
  const base::MonotonicTime started_;
  std::optional<base::MonotonicTime> request_ended_;
  std::unique_ptr<Acquisition> acquisition_;
  http::HeaderMap headers_;
  base::BufferChain waiting_body_;  // Until there is a connection.
  http::HeaderMap trailers_;
  http::Stream* stream_ = nullptr;
  const Endpoint* endpoint_ = nullptr;  // Valid while stream_ is.
  uint64_t body_given_ = 0;             // To stream_.
  std::string details_;
  std::unique_ptr<CallFilters> filters_;           // Null: nothing stands between.
  std::shared_ptr<const Endpoint> held_endpoint_;  // With filters: they may hold the answer for longer.
  bool is_grpc_ = false;
  bool is_head_ = false;
  bool held_ = false;            // By the filters: nothing may be sent yet.
  bool request_passed_ = false;  // Its last part has.
  bool answer_began_ = false;
  bool answer_passed_ = false;
  bool complete_ = false;  // On the wire.
  bool over_ = false;
  event::Lifeline lifeline_;
};

}  // namespace weir::upstream
