// The filters of the upstream's side (HttpProtocolOptions.http_filters of a cluster, or the router's
// upstream_http_filters), which an attempt's request passes on its way out, and its answer in reverse. As Envoy:
//
// - Each attempt has its own. They see the request as soon as its endpoint is chosen, while a connection is being made;
//   of requests without an endpoint, or without room for them, they see nothing.
// - What they change in the request's headers stays for the exchange, and for further attempts.
// - A local reply goes to the client through the filters of the connection manager, not through these; nothing is sent
//   upstream any more, there is no retry, and the cluster counts no answer.
// - They are done with the answer's last part, before the connection manager's filters see that; they are told
//   `destroy`, and never `log`.
//
// Owned by its Attempt, between which and the exchange it stands: it owns the request's parts that are held, within
// `buffer_limit` (flow control beyond that, or 413 and 500; see filter/chain.h).
#pragma once

#include <vector>

#include "exchange/attempt.h"
#include "filter/chain.h"

namespace weir::exchange {

class AttemptFilters final : public Attempt::Owner, private filter::Ends {
 public:
  struct Place {
    Attempt& attempt;
    Attempt::Owner& owner;
    event::Loop& loop;
    filter::StreamInfo& info;
    size_t buffer_limit;
  };
  // headers must outlive it. end_stream: they are all of the request.
  AttemptFilters(const Place& place, const std::vector<filter::FilterFactory*>& filters, http::HeaderMap& headers,
                 bool end_stream);
  ~AttemptFilters() { end(); }

  // The request, as it comes from the exchange. begin() first.
  void begin(const upstream::Endpoint& endpoint);
  void requestBody(base::BufferChain& bytes, bool end_stream);
  void requestTrailers(const http::HeaderMap& trailers);
  void requestMetadata(const http::Metadata& metadata);
  // The filters are told `destroy`, once; what comes passes by from here on.
  void end();

 private:
  // filter::Ends: what has passed the filters.
  void forwardRequestHeaders(http::HeaderMap& headers, bool end_stream) override;
  void forwardRequestBody(base::BufferChain& bytes, bool end_stream) override;
  void forwardRequestTrailers(http::HeaderMap& trailers) override;
  void forwardRequestMetadata(http::Metadata& metadata) override;
  void answerHeaders(http::HeaderMap& headers, bool end_stream) override;
  void answerBody(base::BufferChain& bytes, bool end_stream) override;
  void answerTrailers(http::HeaderMap& trailers) override;
  void answerMetadata(http::Metadata& metadata) override;
  bool takeLocalReply(const filter::LocalReply& reply) override;
  http::HeaderMap& makeLocalReply(const filter::LocalReply&, base::BufferChain&) override { return response_headers_; }
  void abandonUpstream() override {}
  void resetClientStream() override;
  void pauseRequest() override { onAttemptBlocked(); }
  void resumeRequest() override { onAttemptDrained(); }
  void pauseResponse() override { place_.attempt.pauseReceiving(); }
  void resumeResponse() override { place_.attempt.resumeReceiving(); }
  bool responsePaused() const override { return place_.attempt.receivingPaused(); }
  void clearRouteCache() override {}  // As Envoy: the route has been taken.
  event::Loop& loop() override { return place_.loop; }
  filter::StreamInfo& info() override { return place_.info; }
  size_t bufferLimit() const override { return place_.buffer_limit; }

  // Attempt::Owner: what comes from the upstream.
  void onAttemptConnected(const upstream::ConnectionWaiter::Granted& granted) override;
  void onAttemptInformational(http::HeaderMap& headers) override;
  void onAttemptHeaders(http::HeaderMap& headers, bool end_stream) override;
  void onAttemptBody(base::BufferChain& bytes, bool end_stream) override;
  void onAttemptTrailers(http::HeaderMap& trailers) override;
  void onAttemptMetadata(http::Metadata& metadata) override;
  void onAttemptNoConnection(upstream::AcquireFailure why, const upstream::Endpoint* endpoint,
                             std::string_view detail) override;
  void onAttemptReset(http::ResetReason reason, std::string_view detail, bool on_reused) override;
  void onAttemptWantsNoMore() override { place_.owner.onAttemptWantsNoMore(); }
  void onAttemptBlocked() override;
  void onAttemptDrained() override;
  void onAttemptChosen(const upstream::Endpoint&) override {}
  void onAttemptReply(const filter::LocalReply&) override {}
  void onAttemptStreamReset() override {}

  void showDetails();
  void hideDetails();
  void replyWithout(std::string_view what, std::string_view missing, int status);

  const Place place_;
  filter::Chain chain_{*this};
  http::HeaderMap& request_headers_;
  const bool headers_only_;
  http::HeaderMap request_trailers_;
  http::HeaderMap response_headers_;
  http::HeaderMap response_trailers_;
  int blocks_ = 0;         // The filters and the connection, each by itself, ask the client to wait.
  bool answered_ = false;  // The answer's headers have passed.
  bool details_shown_ = false;
  bool ended_ = false;
};

}  // namespace weir::exchange
