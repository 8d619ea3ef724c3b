// The filters of a cluster (HttpProtocolOptions.http_filters), which requests of our own to it pass as well: their
// parts on the way out, and the answer's in reverse. As Envoy:
//
// - They see the request when it is known to whom it goes; of calls without an endpoint, or without room, they see
//   nothing. They know no client's connection and no route, and what they keep with the stream is the call's alone.
// - A local reply is the call's answer, and the cluster counts none; once the answer has begun, the call is lost.
// - They are done with the answer's last part, before the caller sees that; they are told `destroy`, and never `log`.
//
// Other than there, they run from the loop, when the guest that calls has returned: guests never stand on each other's
// stacks.
//
// Owned by its CallStream, which hands it to Loop::destroyLater() in the end: what it calls may end the call.
#pragma once

#include <memory>
#include <vector>

#include "event/loop.h"
#include "event/timer.h"
#include "filter/chain.h"
#include "upstream/cluster.h"
#include "upstream/spec.h"

namespace weir::upstream {

// Filters that calls can be taken through. Worker's thread.
struct CallableFilters : HttpFilters {
  // Those that are not disabled, in order. They live as long as this.
  virtual std::vector<filter::FilterFactory*> forCalls() const = 0;
};

class CallFilters final : public event::Deferred, private filter::Ends {
 public:
  // What a filter may hold of a request, or of an answer; more is answered with 413 or 500, or waits (filter/chain.h).
  static constexpr size_t kBufferLimit = 1024 * 1024;

  class Owner {
   public:
    // The request, as it has passed the filters.
    virtual void passHeaders(const http::HeaderMap& headers, bool end_stream) = 0;
    virtual void passBody(base::BufferChain& bytes, bool end_stream) = 0;
    virtual void passTrailers(http::HeaderMap trailers) = 0;
    // The answer, as it has. Any of these, and of the following, may destroy the owner.
    virtual void onPassedHeaders(http::HeaderMap& headers, bool end_stream) = 0;
    virtual void onPassedBody(base::BufferChain& bytes, bool end_stream) = 0;
    virtual void onPassedTrailers(http::HeaderMap& trailers) = 0;
    // One of them answers in the upstream's place, or ends the call without an answer. Nothing is told after it.
    virtual void onFilterReply(const filter::LocalReply& reply) = 0;
    virtual void onFilterReset() = 0;
    // Flow control of the answer.
    virtual void pauseAnswer() = 0;
    virtual void resumeAnswer() = 0;

   protected:
    ~Owner() = default;
  };

  // Null: the cluster has none.
  static std::unique_ptr<CallFilters> of(Cluster& cluster, event::Loop& loop, Owner& owner);
  CallFilters(std::shared_ptr<const CallableFilters> filters, Cluster& cluster, event::Loop& loop, Owner& owner);
  ~CallFilters() override;

  // The filters see each part of the request in the loop's next turn; until then it is kept. So a filter whose calls
  // pass itself goes round turn by turn, until too many are under way.
  void begin(const Endpoint& endpoint, http::HeaderMap headers, bool end_stream);
  void requestBody(base::BufferChain& bytes, bool end_stream);
  void requestTrailers(http::HeaderMap trailers);
  void connected(const ConnectionWaiter::Granted& granted);
  void responseHeaders(http::HeaderMap& headers, bool end_stream);
  void responseBody(base::BufferChain& bytes, bool end_stream);
  void responseTrailers(http::HeaderMap& trailers);
  // Bytes of the request's body that have not passed.
  size_t held() const;
  // The filters are told `destroy`, once, and the owner nothing more. Not within a guest's call.
  void end();
  // The same, but the filters are told when this is destroyed.
  void leave();
  bool ended() const { return owner_ == nullptr; }
  // What the filters say of how it went, as %RESPONSE_CODE_DETAILS%.
  const std::string& details() const { return info_.response_code_details; }

 private:
  void run();
  void showHeaders();
  void destroy();
  void replyWithout(std::string_view what, std::string_view missing, int status);

  // filter::Ends
  void forwardRequestHeaders(http::HeaderMap& headers, bool end_stream) override;
  void forwardRequestBody(base::BufferChain& bytes, bool end_stream) override;
  void forwardRequestTrailers(http::HeaderMap& trailers) override;
  void forwardRequestMetadata(http::Metadata&) override {}  // Of calls there is none.
  void answerHeaders(http::HeaderMap& headers, bool end_stream) override;
  void answerBody(base::BufferChain& bytes, bool end_stream) override;
  void answerTrailers(http::HeaderMap& trailers) override;
  void answerMetadata(http::Metadata&) override {}
  bool takeLocalReply(const filter::LocalReply& reply) override;
  http::HeaderMap& makeLocalReply(const filter::LocalReply&, base::BufferChain&) override { return response_headers_; }
  void abandonUpstream() override {}
  void resetClientStream() override;
  void pauseRequest() override {}  // Whoever calls asks how much waits.
  void resumeRequest() override {}
  void pauseResponse() override;
  void resumeResponse() override;
  bool responsePaused() const override { return pauses_ > 0; }
  void clearRouteCache() override {}  // There is no route.
  event::Loop& loop() override { return loop_; }
  filter::StreamInfo& info() override { return info_; }
  size_t bufferLimit() const override { return kBufferLimit; }

  const std::shared_ptr<const CallableFilters> filters_;
  event::Loop& loop_;
  Owner* owner_;
  filter::StreamInfo info_;
  filter::Chain chain_{*this};
  event::Timer turn_;
  http::HeaderMap request_headers_;
  http::HeaderMap request_trailers_;
  http::HeaderMap response_headers_;
  http::HeaderMap response_trailers_;
  struct Piece {
    base::BufferChain bytes;
    bool last;
  };
  std::vector<Piece> waiting_;  // Body for the loop's next turn.
  bool headers_only_ = false;
  bool begun_ = false;
  bool headers_wait_ = false;
  bool trailers_wait_ = false;
  bool over_ = false;  // The filters were told their end.
  int pauses_ = 0;
};

}  // namespace weir::upstream
