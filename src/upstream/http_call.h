// One request to a cluster with its whole answer collected: what plugins' callouts (and later health checks and
// fetches) stand on. Behaves as Envoy's async client: a refused connection or a timeout is an answer too (503, 504), a
// reset is not.
#pragma once

#include <memory>
#include <string>

#include "base/buffer.h"
#include "http/header_map.h"
#include "upstream/cluster.h"

namespace weir::upstream {

struct HttpCallRequest {
  http::HeaderMap headers;  // With :method, :path, :authority.
  base::BufferChain body;
  http::HeaderMap trailers;
  base::Duration timeout{};  // Zero: none.
  size_t max_response_bytes = 1024 * 1024;
};

struct HttpCallResponse {
  http::HeaderMap headers;
  base::BufferChain body;
  http::HeaderMap trailers;
};

class HttpCallReceiver {
 public:
  virtual void onCallResponse(HttpCallResponse response) = 0;
  // Reset after it started, or the response was over its limit.
  virtual void onCallFailure(http::ResetReason reason) = 0;

 protected:
  ~HttpCallReceiver() = default;
};

// A call under way; destroying it cancels it. The receiver is told exactly once unless it is destroyed before.
class HttpCall {
 public:
  virtual ~HttpCall() = default;
};

// Null if the receiver was told within this function (no endpoint: a synthetic 503).
std::unique_ptr<HttpCall> startHttpCall(Cluster& cluster, event::Loop& loop, HttpCallRequest request,
                                        HttpCallReceiver& receiver);

}  // namespace weir::upstream
