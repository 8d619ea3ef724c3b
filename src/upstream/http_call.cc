#include "upstream/http_call.h"

#include <utility>

#include "upstream/call_stream.h"

namespace weir::upstream {
namespace {

using http::HeaderId;

class Call final : public HttpCall, private CallStream::Receiver {
 public:
  Call(Cluster& cluster, event::Loop& loop, const HttpCallRequest& request, HttpCallReceiver& receiver)
      : max_response_bytes_(request.max_response_bytes),
        receiver_(receiver),
        stream_(cluster, loop, *this, {.timeout = request.timeout}) {}

  // False if the receiver was told already.
  bool start(HttpCallRequest request) {
    fixLength(request);
    const bool has_body = !request.body.empty();
    const bool has_trailers = !request.trailers.empty();
    if (has_trailers) {
      // All parts are there before a connection is asked for: a request that fails is over when start() returns.
      stream_.sendBody(request.body, false);
      stream_.sendTrailers(std::move(request.trailers));
    } else if (has_body) {
      stream_.sendBody(request.body, true);
    }
    stream_.start(std::move(request.headers), !has_body && !has_trailers);
    return !told_;
  }

 private:
  // The length is what the body has, whatever the caller says.
  static void fixLength(HttpCallRequest& request) {
    http::HeaderMap& headers = request.headers;
    if (!request.body.empty()) {
      headers.set(HeaderId::ContentLength, std::to_string(request.body.size()));
    } else if (headers.has(HeaderId::ContentLength)) {
      headers.set(HeaderId::ContentLength, "0");
    }
  }

  void onCallHeaders(http::HeaderMap& headers, bool) override { response_.headers = std::move(headers); }
  void onCallBody(base::BufferChain& bytes, bool) override {
    if (response_.body.size() + bytes.size() <= max_response_bytes_) return response_.body.append(bytes);
    stream_.abandon();
    onCallReset(http::ResetReason::Overflow);
  }
  void onCallTrailers(http::HeaderMap& trailers) override { response_.trailers = std::move(trailers); }
  void onCallEnd() override {
    told_ = true;
    receiver_.onCallResponse(std::move(response_));
  }
  void onCallReset(http::ResetReason reason) override {
    told_ = true;
    receiver_.onCallFailure(reason);
  }

  const size_t max_response_bytes_;
  HttpCallReceiver& receiver_;
  HttpCallResponse response_;
  bool told_ = false;
  CallStream stream_;
};

}  // namespace

std::unique_ptr<HttpCall> startHttpCall(Cluster& cluster, event::Loop& loop, HttpCallRequest request,
                                        HttpCallReceiver& receiver) {
  auto call = std::make_unique<Call>(cluster, loop, request, receiver);
  if (!call->start(std::move(request))) return nullptr;
  return call;
}

}  // namespace weir::upstream
