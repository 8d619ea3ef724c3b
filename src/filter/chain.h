// Carries one stream through its filters: request parts in the configured order, response parts in reverse order.
//
// The rules are Envoy's, to the order of callbacks and the sizes of body pieces, because plugins were tested on them:
// - A filter may stop a direction. Having stopped with StopIteration it still gets body and trailers; having stopped
// with
//   StopAll... it gets nothing, and the body is kept before it.
// - What is kept lies in one buffer per direction. Over the limit, the sender is paused (watermark) or the stream is
//   answered with 413 or 500 (buffer).
// - Going on releases the headers first (if they were held), then what was kept, then the trailers.
// - METADATA goes by a body that is kept. Before a filter that has not seen the headers, or has stopped with
// StopAll...,
//   it waits, and goes behind the headers: to the filter, and if the filters behind let it, out. So an answer's may
//   reach the client before its headers; a request's leaves behind them. What waits is bounded by who counts it
//   (http/metadata.h).
// - A local reply ends the request direction. From a request callback it passes through the response side of the
// filters;
//   while response filters run it goes out directly; once headers were sent the stream is reset.
//
// The chain knows neither connections nor clusters: what stands at its two ends is Ends. It must outlive every call
// into it; whoever owns it destroys it later (event::Loop::destroyLater), never within a callback.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "base/recycled.h"
#include "filter/filter.h"

namespace weir::filter {

class Chain;

// The two ends of the chain: the upstream side, where requests leave and responses come in, and the client side.
class Ends {
 public:
  // The request has passed every filter. What is left in bytes is dropped.
  virtual void forwardRequestHeaders(http::HeaderMap& headers, bool end_stream) = 0;
  virtual void forwardRequestBody(base::BufferChain& bytes, bool end_stream) = 0;
  virtual void forwardRequestTrailers(http::HeaderMap& trailers) = 0;
  virtual void forwardRequestMetadata(http::Metadata& metadata) = 0;  // After the headers.
  // The response has passed every filter.
  virtual void answerHeaders(http::HeaderMap& headers, bool end_stream) = 0;
  virtual void answerBody(base::BufferChain& bytes, bool end_stream) = 0;
  virtual void answerTrailers(http::HeaderMap& trailers) = 0;
  virtual void answerMetadata(http::Metadata& metadata) = 0;  // At any time.

  // Makes the response headers of a local reply and, if it has a body, leaves that in body. Called once per reply.
  virtual http::HeaderMap& makeLocalReply(const LocalReply& reply, base::BufferChain& body) = 0;
  // True: somebody else makes and sends it, and these filters are out of it. Asked first, and by default nobody does.
  virtual bool takeLocalReply(const LocalReply&) { return false; }
  // Whatever was asked of the upstream is void: an answer of our own is on its way.
  virtual void abandonUpstream() = 0;
  virtual void resetClientStream() = 0;

  // Flow control towards the senders of request and response.
  virtual void pauseRequest() = 0;
  virtual void resumeRequest() = 0;
  virtual void pauseResponse() = 0;
  virtual void resumeResponse() = 0;
  // The sender of the response is asked to wait now.
  virtual bool responsePaused() const = 0;

  virtual void clearRouteCache() = 0;
  virtual event::Loop& loop() = 0;
  virtual StreamInfo& info() = 0;
  virtual size_t bufferLimit() const = 0;

 protected:
  ~Ends() = default;
};

// One direction. `Chain` has two; the filters' callbacks of that direction are reached through call...().
class Pass {
 public:
  enum class Direction : uint8_t { Request, Response };
  Pass(Chain& chain, Direction direction) : chain_(chain), direction_(direction) {}

  void expectStages(size_t count) { stages_.reserve(count); }
  void addStage(Filter& filter) { stages_.push_back({&filter}); }

  // Parts as they come in. Nothing happens once the pass is over.
  void headers(http::HeaderMap& headers, bool end_stream);
  void body(base::BufferChain& bytes, bool end_stream);
  void trailers(http::HeaderMap& trailers);
  void metadata(http::Metadata& metadata);

  // A filter's wish to go on; ignored unless it stopped.
  void resume(size_t stage);
  void keep(base::BufferChain& bytes);
  void limitChanged();
  // A filter's own bytes, for those behind it (inject.cc).
  void inject(size_t stage, base::BufferChain& bytes, bool end);
  http::HeaderMap& addTrailers(http::HeaderMap& storage);
  // No more callbacks in this direction.
  void stop() { over_ = true; }

  http::HeaderMap* headersSeen() const { return headers_; }
  http::HeaderMap* trailersSeen() const { return trailers_; }
  base::BufferChain* kept() { return has_kept_ ? &kept_ : nullptr; }
  size_t keptBytes() const { return kept_.size(); }
  bool running() const { return depth_ > 0; }
  bool over() const { return over_; }

 private:
  enum class State : uint8_t { Running, Stopped, StoppedAllBuffer, StoppedAllWatermark };
  struct Stage {
    Filter* filter;
    State state = State::Running;
    bool headers_passed = false;
    bool on_stack = false;      // Its callback of this direction is running,
    bool resume_asked = false;  // and it asked to go on before it returned: a stop that it then returns is void.
    bool end_told = false;      // It has been given the direction's last part.
    // Has put in bytes of its own; those that it put in within its headers callback wait for that to return.
    bool injects = false;
    bool injected_waits = false;
    bool injected_end = false;
    base::BufferChain injected{};
    bool headers_seen = false;
    std::vector<http::Metadata> metadata{};  // That waits for the headers, or for the filter to go on.
    bool stoppedAll() const { return state == State::StoppedAllBuffer || state == State::StoppedAllWatermark; }
  };

  void runHeaders(size_t at, bool end_stream);
  void runBody(size_t at, base::BufferChain& bytes, bool end_stream);
  void runTrailers(size_t at);
  // metadata.cc
  void runMetadata(size_t at, http::Metadata& metadata);
  void releaseMetadata(size_t at);
  void releaseForwarded();
  // Whether to go on to the next stage.
  bool afterBody(size_t at, BodyAction action, base::BufferChain& bytes);
  // The filter has stopped, unless it asked to go on in the same breath.
  void stopAt(size_t at, State state);
  void limitKept();
  void releaseSender();
  // inject.cc
  void passInjected(size_t at, base::BufferChain& bytes, bool end);
  void injectedInHeaders(size_t at, HeadersAction action, bool end_stream);
  void cut(size_t at);
  bool isCut(size_t at) const { return at < cut_; }
  bool endTold(size_t at) const { return at < stages_.size() ? stages_[at].end_told : end_sent_; }
  bool injectorHolds(size_t before) const;

  HeadersAction callHeaders(Stage& stage, bool end_stream);
  BodyAction callBody(Stage& stage, base::BufferChain& bytes, bool end_stream);
  TrailersAction callTrailers(Stage& stage);
  void callMetadata(Stage& stage, http::Metadata& metadata);
  class OnStack;

  Chain& chain_;
  const Direction direction_;
  std::vector<Stage, base::RecyclingAllocator<Stage>> stages_;
  http::HeaderMap* headers_ = nullptr;
  http::HeaderMap* trailers_ = nullptr;
  base::BufferChain kept_;
  bool has_kept_ = false;           // Also with no bytes: an empty last piece that has still to be delivered.
  bool kept_by_watermark_ = false;  // Over the limit: pause the sender rather than answer.
  bool sender_paused_ = false;
  bool ended_ = false;  // The sender has sent its last part.
  bool over_ = false;
  bool end_sent_ = false;                     // The last part has passed every filter.
  bool headers_forwarded_ = false;            // The request's have passed every filter,
  std::vector<http::Metadata> to_forward_{};  // for which what has passed them too waits.
  size_t cut_ = 0;  // What comes from these first stages, and to them, is dropped: one has ended the direction.
  int depth_ = 0;   // Filter callbacks of this direction that are on the stack.
};

class Chain {
 public:
  explicit Chain(Ends& ends);
  ~Chain();
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;

  // How many there will be at most, before the first.
  void expect(size_t filters);
  // Before the first part.
  void add(std::unique_ptr<Filter> filter);
  bool empty() const { return stages_.empty(); }

  void requestHeaders(http::HeaderMap& headers, bool end_stream) { request_.headers(headers, end_stream); }
  void requestBody(base::BufferChain& bytes, bool end_stream) { request_.body(bytes, end_stream); }
  void requestTrailers(http::HeaderMap& trailers) { request_.trailers(trailers); }
  void requestMetadata(http::Metadata& metadata) { request_.metadata(metadata); }
  void responseHeaders(http::HeaderMap& headers, bool end_stream);
  void responseBody(base::BufferChain& bytes, bool end_stream) { response_.body(bytes, end_stream); }
  void responseTrailers(http::HeaderMap& trailers) { response_.trailers(trailers); }
  void responseMetadata(http::Metadata& metadata);

  // Bytes of the request's body that a filter holds.
  size_t requestKept() const { return request_.keptBytes(); }

  void sendLocalReply(const LocalReply& reply);
  // Gives up the stream, without an answer if none has begun.
  void resetStream();
  // The client's stream is over: no further callbacks but these two, in this order. Each callable once.
  void log();
  void destroy();

 private:
  friend class Pass;
  // A filter's place in the chain.
  class Stage final : public base::Recycled, public StreamHandle {
   public:
    Stage(Chain& chain, std::unique_ptr<Filter> filter, size_t index)
        : chain_(chain), filter_(std::move(filter)), index_(index) {}
    Filter& filter() { return *filter_; }

    event::Loop& loop() override { return chain_.ends_.loop(); }
    StreamInfo& info() override { return chain_.ends_.info(); }
    http::HeaderMap* requestHeaders() override { return chain_.request_.headersSeen(); }
    http::HeaderMap* requestTrailers() override { return chain_.request_.trailersSeen(); }
    http::HeaderMap* responseHeaders() override { return chain_.response_.headersSeen(); }
    http::HeaderMap* responseTrailers() override { return chain_.response_.trailersSeen(); }
    base::BufferChain* requestBuffer() override { return chain_.request_.kept(); }
    base::BufferChain* responseBuffer() override { return chain_.response_.kept(); }
    void addToRequestBuffer(base::BufferChain& bytes) override { chain_.request_.keep(bytes); }
    void addToResponseBuffer(base::BufferChain& bytes) override { chain_.response_.keep(bytes); }
    http::HeaderMap& addRequestTrailers() override {
      return chain_.request_.addTrailers(chain_.added_request_trailers_);
    }
    http::HeaderMap& addResponseTrailers() override {
      return chain_.response_.addTrailers(chain_.added_response_trailers_);
    }
    void continueRequest() override { chain_.request_.resume(index_); }
    void continueResponse() override { chain_.response_.resume(chain_.stages_.size() - 1 - index_); }
    void injectResponse(base::BufferChain& bytes, bool end) override {
      chain_.response_.inject(chain_.stages_.size() - 1 - index_, bytes, end);
    }
    bool responsePaused() const override { return chain_.ends_.responsePaused(); }
    void sendLocalReply(LocalReply reply) override { chain_.sendLocalReply(reply); }
    void resetStream() override { chain_.resetStream(); }
    void clearRouteCache() override { chain_.ends_.clearRouteCache(); }
    bool gone() const override { return chain_.response_.over() || chain_.pending_reply_ != nullptr; }
    size_t bufferLimit() const override { return chain_.bufferLimit(); }
    size_t configuredBufferLimit() const override { return chain_.ends_.bufferLimit(); }
    void setBufferLimit(size_t bytes) override { chain_.setBufferLimit(bytes); }

   private:
    Chain& chain_;
    std::unique_ptr<Filter> filter_;
    size_t index_;
  };

  size_t bufferLimit() const { return buffer_limit_.value_or(ends_.bufferLimit()); }
  void setBufferLimit(size_t bytes);
  void stop();
  void settleFilters();
  void sendThroughFilters(const LocalReply& reply);
  void sendDirectly(const LocalReply& reply);
  void finishPendingReply();

  Ends& ends_;
  std::vector<std::unique_ptr<Stage>, base::RecyclingAllocator<std::unique_ptr<Stage>>> stages_;
  Pass request_{*this, Pass::Direction::Request};
  Pass response_{*this, Pass::Direction::Response};
  std::optional<size_t> buffer_limit_;  // Set by a filter.
  http::HeaderMap added_request_trailers_;
  http::HeaderMap added_response_trailers_;
  std::unique_ptr<LocalReply> pending_reply_;  // Asked for within a request callback; sent when that has returned.
  bool replied_ = false;
  bool answer_started_ = false;  // Headers have gone to the client.
  bool passes_set_ = false;
};

}  // namespace weir::filter
