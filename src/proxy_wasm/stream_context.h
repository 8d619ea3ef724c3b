// A plugin's part in one stream: the filter that the chain sees, and the context that the guest sees.
//
// A header map is within the guest's reach from its callback until the filter lets it go on; a body only within its
// callback, or while it is kept because the guest asked for buffering (then it grows, and the next callback has all of
// it). After the VM has failed, the stream is answered 503 or, where the policy is open, goes on without the plugin.
#pragma once

#include <list>
#include <memory>
#include <optional>

#include "base/recycled.h"
#include "event/timer.h"
#include "filter/filter.h"
#include "proxy_wasm/context.h"
#include "proxy_wasm/started_plugin.h"

namespace weir::proxy_wasm {

class StreamContext final : public base::Recycled, public Context, public filter::Filter {
 public:
  explicit StreamContext(std::shared_ptr<StartedPlugin> plugin);
  ~StreamContext() override;

  // Filter
  void setHandle(filter::StreamHandle& handle) override { handle_ = &handle; }
  filter::HeadersAction onRequestHeaders(http::HeaderMap& headers, bool end_stream) override;
  filter::BodyAction onRequestBody(base::BufferChain& bytes, bool end_stream) override;
  filter::TrailersAction onRequestTrailers(http::HeaderMap& trailers) override;
  filter::HeadersAction onResponseHeaders(http::HeaderMap& headers, bool end_stream) override;
  filter::BodyAction onResponseBody(base::BufferChain& bytes, bool end_stream) override;
  filter::TrailersAction onResponseTrailers(http::HeaderMap& trailers) override;
  void onRequestMetadata(http::Metadata& metadata) override;
  void onResponseMetadata(http::Metadata& metadata) override;
  void onLog() override;
  void onDestroy() override;

  // Context
  RootContext* root() override { return &plugin_->root(); }
  StreamContext* stream() override { return this; }
  std::string_view logPrefix() const override { return plugin_->root().streamLogPrefix(); }
  const filter::StreamInfo* info() const override { return handle_ != nullptr ? &handle_->info() : nullptr; }
  filter::StreamInfo* ownInfo() override { return handle_ != nullptr ? &handle_->info() : nullptr; }
  const http::HeaderMap* readableMap(HeaderMapType type) override;
  http::HeaderMap* writableMap(HeaderMapType type) override;
  bool logging() const override { return logging_; }
  std::optional<BufferView> buffer(BufferType type) override;

  // For host functions. Each takes effect when the guest has returned.
  // The first reply of a callback wins. One that a later callback asks for, which sees the first go by, replaces it.
  void askReply(filter::LocalReply reply);
  void askContinue(StreamType direction);
  void askClose();
  // Bytes of the guest's own for the response, behind what has passed this filter. InternalFailure: that would be more
  // than kMaxInjected bytes which nobody takes.
  AbiStatus askInject(std::string_view bytes, bool end);
  static constexpr size_t kMaxInjected = size_t{4} << 20;
  // How much of a message may be kept; 0: any amount. No more than the plugin's budget, unless more may be kept anyway.
  void askBufferLimit(uint32_t bytes);
  void clearRouteCache() { handle_->clearRouteCache(); }
  void requestHeadersChanged() {
    if (!keeps_route_) clearRouteCache();
  }
  // Changed headers no longer have the route looked up again, or do.
  void keepRoute(bool keep) { keeps_route_ = keep; }

  // Called by the VM when the guest has returned.
  void sendAskedReply();
  void continueRequest();
  void continueResponse();
  void close();
  void injectAsked();
  void setAskedLimit();
  // The VM has failed: ends the stream, or lets it go, if it was waiting for the guest.
  void onVmFailed();

 private:
  // One direction.
  struct Side {
    http::HeaderMap* headers = nullptr;
    base::BufferChain* body = nullptr;  // Within the body callback.
    http::HeaderMap* trailers = nullptr;
    bool ended = false;      // The part just told was the last.
    bool buffering = false;  // The guest asked to keep the body.
    bool stopped = false;    // Waits for the guest.
    bool held = false;       // For nothing else: no more of this direction will be told until it lets it go on.
  };

  // Tells the guest of the stream, once. False: the guest takes no (further) part in it.
  bool enterGuest();
  std::optional<uint32_t> call(Callback callback, uint32_t a, uint32_t b, size_t count);
  filter::HeadersAction headers(Side& side, Callback callback, bool takes_end, http::HeaderMap& headers,
                                bool end_stream);
  filter::BodyAction body(Side& side, Callback callback, base::BufferChain& bytes, bool end_stream);
  filter::TrailersAction trailers(Side& side, Callback callback, http::HeaderMap& trailers);
  void metadata(Callback callback, const http::Metadata& metadata);
  filter::HeadersAction headersAction(uint32_t result) const;
  filter::BodyAction bodyAction(uint32_t result) const;
  void keepBody(const Side& side, base::BufferChain& bytes);
  base::BufferChain* keptBody(const Side& side);
  // How a direction stands after a callback: only the guest can let it go on, or not.
  void setHeld(Side& side, bool held);
  void onPauseEnded();
  // The streams that wait are let go, or were answered.
  void letGo();
  // The VM failed before or in a callback. True: the stream goes on without the plugin; false: it was answered.
  bool goesOnWithout();
  bool failsOpen() const;

  const std::shared_ptr<StartedPlugin> plugin_;
  filter::StreamHandle* handle_ = nullptr;
  Side request_;
  Side response_;
  std::unique_ptr<event::Timer> pause_;  // Armed while a direction is held; made when one is for the first time.
  std::optional<filter::LocalReply> reply_;
  struct Injection {
    base::BufferChain bytes;
    bool end;
  };
  std::list<Injection> injections_;    // Asked for, until the guest has returned.
  size_t injected_ = 0;                // Bytes of those, and of others since the response was last on its way freely.
  std::optional<size_t> asked_limit_;  // Until the guest has returned.
  bool reply_asked_in_call_ = false;   // In the callback that runs.
  bool created_ = false;               // proxy_on_context_create was told.
  bool keeps_route_ = false;
  bool passing_ = false;  // What comes goes by: the plugin is out of this stream.
  bool logging_ = false;
  bool destroyed_ = false;
};

}  // namespace weir::proxy_wasm
