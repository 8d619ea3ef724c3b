// The end of an exchange: the response goes to the client, or a reply of our own does.
#include <utility>

#include "base/log.h"
#include "exchange/client_connection.h"
#include "exchange/exchange.h"
#include "exchange/request_headers.h"
#include "filter/local_reply.h"
#include "http/status.h"

namespace weir::exchange {
namespace {

// RFC 9113 8.5: a tunnel's client is told that its far end was lost.
bool upstreamLost(const filter::StreamInfo& info) {
  return (info.response_flags & (filter::bitOf(filter::ResponseFlag::UpstreamConnectionTermination) |
                                 filter::bitOf(filter::ResponseFlag::UpstreamConnectionFailure))) != 0;
}

}  // namespace

void Exchange::answerHeaders(http::HeaderMap& headers, bool end_stream) {
  answer_started_ = true;
  if (stream_ == nullptr) return;
  const std::optional<int> status = http::parseStatus(headers.getOr(http::HeaderId::Status, ""));
  const bool granted = status && takesTunnel(*status) && (!end_stream || attempt_ != nullptr);
  prepareResponseHeaders(manager_, &request_headers_, headers, manager_.loop.wallNow(), granted);
  if (!status) return answerWithoutStatus();
  info_.response_code = *status;
  if (granted) beginTunnel();
  info_.answer_began = manager_.loop.now() - info_.start_monotonic;
  // As Envoy over HTTP/1: whoever is answered before the request's end is told that the connection ends.
  if (!tunnel_ && info_.protocol != http::Protocol::Http2 && (!request_ended_ || response_closes_))
    headers.set(http::HeaderId::Connection, "close");
  manager_.stats.countResponse(info_.response_code);
  info_.response_header_bytes = headers.bytes();
  stream_->sendHeaders(headers, end_stream);
  if (granted && manager_.spec->access_log_options.at_tunnel) {
    writeAccessLogs(format::LogType::DownstreamTunnelSuccessfullyEstablished);
  }
  if (tunnel_) connection_.continueReading();
  if (end_stream) answered();
}

// A filter took the status away or made it something that is none. What is left of the answer is dropped.
void Exchange::answerWithoutStatus() {
  abandonUpstream();
  base::BufferChain body;
  http::HeaderMap& headers =
      makeLocalReply({502, "missing required header: :status", "missing_required_header", {}, -1}, body);
  const bool has_body = !body.empty();
  answerHeaders(headers, !has_body);
  if (has_body) answerBody(body, true);
}

void Exchange::answerBody(base::BufferChain& bytes, bool end_stream) {
  if (answer_ended_) return;
  touchIdleTimer();
  info_.response_body_bytes += bytes.size();
  if (stream_ == nullptr) return;
  stream_->sendBody(bytes, end_stream);
  if (end_stream) answered();
}

void Exchange::answerTrailers(http::HeaderMap& trailers) {
  if (stream_ == nullptr || answer_ended_) return;
  stream_->sendTrailers(trailers);
  answered();
}

void Exchange::answerMetadata(http::Metadata& metadata) {
  if (stream_ != nullptr && !answer_ended_) stream_->sendMetadata(metadata);
}

// The last part was handed to the codec. If that has ended the stream (onComplete), the exchange is over already.
void Exchange::answered() {
  answer_ended_ = true;
  info_.answer_ended = manager_.loop.now() - info_.start_monotonic;
  route_timer_.disarm();
  if (retries_ != nullptr) retries_->end();
  if (over_) return;
  // As Envoy over HTTP/1.1: an answer before the end of the request ends the connection, because the rest of the
  // request may be long and nobody wants it.
  if (!request_ended_ && stream_ != nullptr && (!tunnel_ || rest_unwanted_)) {
    dropClientStream(http::ResetReason::LocalReset);
    finish();
  }
}

// As Envoy, a stream that we give up counts as one that was reset on us, too.
void Exchange::dropClientStream(http::ResetReason reason) {
  noteBytes();
  manager_.stats.downstream_rq_rx_reset.add();
  std::exchange(stream_, nullptr)->reset(reason);
}

http::HeaderMap& Exchange::makeLocalReply(const filter::LocalReply& given, base::BufferChain& body) {
  filter::LocalReply reply = given;
  const route::Mutations* added = nullptr;
  if (manager_.local_replies != nullptr) {
    response_headers_ = filter::localReplyHeaders(reply, false);
    added = manager_.local_replies->rewrite(reply, info_, logEntry(format::LogType::NotSet), manager_.random);
  }
  response_headers_ = filter::localReplyHeaders(reply, grpc_request_);
  if (added != nullptr) added->apply(response_headers_, logEntry(format::LogType::NotSet));
  if (by_router_ && info_.upstream) noteAttempts(response_headers_);
  if (!head_request_ && !grpc_request_) body.append(reply.body);
  return response_headers_;
}

void Exchange::replyLocally(int status, std::string_view details, std::string body, filter::ResponseFlag flag) {
  if (flag != kNoFlag) info_.setFlag(flag);
  chain_.sendLocalReply({status, std::move(body), std::string(details), {}, -1});
}

// What is asked of the upstream is void; but its filters are not done yet.
void Exchange::silenceUpstream() {
  route_timer_.disarm();
  if (retries_ != nullptr) retries_->end();
  if (attempt_ == nullptr) return;
  noteBytes();
  attempt_->silence();
}

void Exchange::abandonUpstream() {
  silenceUpstream();
  if (attempt_ == nullptr) return;
  attempt_->abandon();
  manager_.loop.destroyLater(std::move(attempt_));
}

void Exchange::resetClientStream() {
  manager_.stats.downstream_rq_tx_reset.add();
  if (stream_ != nullptr) {
    dropClientStream(switches_ && upstreamLost(info_) ? http::ResetReason::ConnectionFailure
                                                      : http::ResetReason::LocalReset);
  }
  finish();
}

void Exchange::finish() {
  if (over_) return;
  over_ = true;
  silenceUpstream();
  stopTimers();
  if (upgrade_counted_) manager_.stats.downstream_cx_upgrades_active.sub();
  info_.finished = manager_.loop.now() - info_.start_monotonic;
  manager_.stats.downstream_rq_active.sub();
  manager_.stats.downstream_rq_time.record(base::milliseconds(*info_.finished));
  if (log_timer_) log_timer_->disarm();
  chain_.log();
  writeAccessLogs(format::LogType::DownstreamEnd);
  chain_.destroy();
  abandonUpstream();  // As Envoy: the upstream's filters are done after the connection manager's.
  connection_.onExchangeOver(*this);
}

}  // namespace weir::exchange
