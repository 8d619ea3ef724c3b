// The interface that stands between a request and its upstream: HTTP filters, in order for the request, in reverse
// order for the response. The meaning of the actions is Envoy's, because plugins were tested on it; chain.h carries it
// out.
//
// One object per filter and stream, on the worker's thread. A filter reaches its stream through StreamHandle, given to
// it before the first callback. Calls on the handle that change the stream's course (continue, local reply, reset) may
// lead to further callbacks on the same filter before they return; a filter that cannot bear that (because guest code
// is on the stack) queues them itself.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "event/loop.h"
#include "filter/stream_info.h"
#include "http/header_map.h"
#include "http/metadata.h"

namespace weir::filter {

enum class HeadersAction : uint8_t {
  Continue,
  // Later filters do not see the headers yet; this filter goes on receiving body and trailers.
  StopIteration,
  // Nothing further reaches this filter or later ones until continue...(); the body is buffered before this filter.
  // Over the buffer limit: Buffer answers 413 (request) or 500 (response), Watermark stops reading from the sender.
  StopAllAndBuffer,
  StopAllAndWatermark,
};

enum class BodyAction : uint8_t {
  Continue,          // Also resumes headers that were stopped, and releases what was buffered.
  StopAndBuffer,     // The bytes join the stream's buffer; over the limit: 413 or 500.
  StopAndWatermark,  // The bytes join the stream's buffer; over the limit: flow control.
  StopNoBuffer,      // The filter has taken the bytes (what it left is dropped).
};

enum class TrailersAction : uint8_t { Continue, Stop };

struct LocalReply {
  int status = 500;
  std::string body;
  std::string details;                                       // %RESPONSE_CODE_DETAILS%
  std::vector<std::pair<std::string, std::string>> headers;  // Added after the defaults.
  int grpc_status = -1;                                      // -1: derived from status when the request is gRPC.
};

// A filter's hold on its stream. Owned by the chain; valid from setHandle() until onDestroy() has returned.
class StreamHandle {
 public:
  virtual event::Loop& loop() = 0;
  virtual StreamInfo& info() = 0;

  // Null before they arrived, and for request trailers and body after they were handed on.
  virtual http::HeaderMap* requestHeaders() = 0;
  virtual http::HeaderMap* requestTrailers() = 0;
  virtual http::HeaderMap* responseHeaders() = 0;
  virtual http::HeaderMap* responseTrailers() = 0;

  // What StopAndBuffer / StopAndWatermark / StopAll... have kept of this direction; null if nothing was kept. May be
  // edited in place.
  virtual base::BufferChain* requestBuffer() = 0;
  virtual base::BufferChain* responseBuffer() = 0;
  // Moves bytes to the end of that buffer from within a callback. May answer 413 / 500 and destroy the stream's
  // remaining course: check gone() afterwards.
  virtual void addToRequestBuffer(base::BufferChain& bytes) = 0;
  virtual void addToResponseBuffer(base::BufferChain& bytes) = 0;
  // Only from within the last body callback (end_stream true): there will be trailers after all.
  virtual http::HeaderMap& addRequestTrailers() = 0;
  virtual http::HeaderMap& addResponseTrailers() = 0;

  // Resumes after a stop; nothing happens if this filter has not stopped that direction.
  virtual void continueRequest() = 0;
  virtual void continueResponse() = 0;
  // Puts bytes of the filter's own into the response: later filters and the client get them behind what has passed this
  // filter. Headers that it holds go on first; what it keeps stays. end: they are the response's last; whatever else
  // there is of it is dropped, and the upstream abandoned. Nothing happens before the response or after its end.
  virtual void injectResponse(base::BufferChain& bytes, bool end) = 0;
  // Flow control: whoever sends the response is asked to wait, because the client or a filter cannot take more.
  virtual bool responsePaused() const = 0;
  // Answers the client from here, once: later calls do nothing. From a request callback the answer passes through the
  // response side of the chain; once response headers have been sent the stream is reset instead.
  virtual void sendLocalReply(LocalReply reply) = 0;
  virtual void resetStream() = 0;
  // The route is looked up again when it is next needed.
  virtual void clearRouteCache() = 0;
  // The stream has ended or was answered; onDestroy() has come or is about to.
  virtual bool gone() const = 0;
  // How much may be kept of a direction; 0: any amount. Set: for this stream's filters, in place of the listener's. A
  // sender that waits for nothing else goes on at once.
  virtual size_t bufferLimit() const = 0;
  // The same without what a filter has set.
  virtual size_t configuredBufferLimit() const = 0;
  virtual void setBufferLimit(size_t bytes) = 0;

 protected:
  ~StreamHandle() = default;
};

class Filter {
 public:
  virtual ~Filter() = default;
  virtual void setHandle(StreamHandle& handle) = 0;

  virtual HeadersAction onRequestHeaders(http::HeaderMap& headers, bool end_stream) = 0;
  virtual BodyAction onRequestBody(base::BufferChain& bytes, bool end_stream) = 0;
  virtual TrailersAction onRequestTrailers(http::HeaderMap& trailers) = 0;
  virtual HeadersAction onResponseHeaders(http::HeaderMap& headers, bool end_stream) = 0;
  virtual BodyAction onResponseBody(base::BufferChain& bytes, bool end_stream) = 0;
  virtual TrailersAction onResponseTrailers(http::HeaderMap& trailers) = 0;
  // METADATA of HTTP/2 (http/metadata.h), at any time after this direction's headers. It goes on when they return: a
  // filter stops it only by answering, or by resetting the stream.
  virtual void onRequestMetadata(http::Metadata& metadata) { (void)metadata; }
  virtual void onResponseMetadata(http::Metadata& metadata) { (void)metadata; }

  // The stream is complete (or was reset), headers are still there to be read. Before onDestroy.
  virtual void onLog() = 0;
  // The last call. The handle must not be used afterwards; no callback of the filter may run later.
  virtual void onDestroy() = 0;
};

// Makes a filter for a stream; null: this stream does without. One per configured filter and worker; outlives streams.
class FilterFactory {
 public:
  virtual ~FilterFactory() = default;
  virtual std::unique_ptr<Filter> create() = 0;
  // As configured (http_filters[].name).
  virtual const std::string& name() const = 0;
};

}  // namespace weir::filter
