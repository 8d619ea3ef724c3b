#include "upstream/grpc_stream.h"

#include <fmt/core.h>

#include "http/grpc.h"
#include "http/status.h"

namespace weir::upstream {
namespace {

using http::HeaderId;
using Fault = http::GrpcMessages::Fault;

constexpr int kUnknown = 2;
constexpr int kLastStatus = 16;
constexpr int kResourceExhausted = 8;
constexpr int kInternal = 13;

// As Envoy: statuses that gRPC does not know are all the same.
int statusIn(const http::HeaderMap& fields) {
  const auto status = http::grpcStatusOf(fields);
  if (!status) return kUnknown;
  return *status >= 0 && *status <= kLastStatus ? static_cast<int>(*status) : -1;
}

}  // namespace

GrpcStream::GrpcStream(Cluster& cluster, event::Loop& loop, GrpcReceiver& receiver, const GrpcOptions& options)
    : receiver_(receiver),
      messages_(options.max_message),
      stream_(cluster, loop, *this, {.timeout = options.timeout, .says_internal = options.says_internal}) {}

bool GrpcStream::send(std::string_view message, bool end) {
  if (stream_.waiting() + message.size() > kMaxWaiting) return false;
  base::BufferChain bytes(http::grpcPrefix(static_cast<uint32_t>(message.size())));
  bytes.append(message);
  stream_.sendBody(bytes, end);
  return true;
}

void GrpcStream::end() {
  base::BufferChain nothing;
  stream_.sendBody(nothing, true);
}

// An answer that ends with its headers has only trailers. Another status than 200 without a word of gRPC is the end.
void GrpcStream::onCallHeaders(http::HeaderMap& headers, bool end_stream) {
  const int status = http::parseStatus(headers.getOr(HeaderId::Status, "")).value_or(0);
  const bool says_status = headers.has(HeaderId::GrpcStatus);
  http::HeaderMap none;
  const event::Lifeline::Sight sight(lifeline_);
  receiver_.onGrpcInitialMetadata(end_stream || status != 200 ? none : headers);
  if (!sight.alive()) return;
  if (status != 200 && !(end_stream && says_status)) return failNow(http::grpcStatusFor(status));
  if (end_stream) judge(headers);
}

void GrpcStream::onCallBody(base::BufferChain& bytes, bool end_stream) {
  messages_.add(bytes);
  const event::Lifeline::Sight sight(lifeline_);
  while (auto message = messages_.next()) {
    if (message->compressed && !message->bytes.empty()) return failNow(kInternal);
    receiver_.onGrpcMessage(message->bytes);
    if (!sight.alive()) return;
  }
  if (messages_.fault() != Fault::None) {
    return failNow(messages_.fault() == Fault::TooLong ? kResourceExhausted : kInternal);
  }
  if (end_stream) failNow(kUnknown);
}

void GrpcStream::onCallTrailers(http::HeaderMap& trailers) { judge(trailers); }

// Told when the other side's end is complete, so that its connection can serve again.
void GrpcStream::judge(http::HeaderMap& last) {
  status_ = statusIn(last);
  message_ = last.getOr(HeaderId::GrpcMessage, "");
  receiver_.onGrpcTrailingMetadata(last);
}

void GrpcStream::onCallEnd() {
  if (!status_) status_ = kUnknown;
  close();
}

void GrpcStream::onCallReset(http::ResetReason) { failNow(kInternal); }

void GrpcStream::failNow(int status) {
  status_ = status;
  http::HeaderMap none;
  const event::Lifeline::Sight sight(lifeline_);
  receiver_.onGrpcTrailingMetadata(none);
  if (!sight.alive()) return;
  stream_.abandon();
  close();
}

// As Envoy: what came of it in HTTP's terms is told with the message.
void GrpcStream::close() {
  const std::string& details = stream_.details();
  const std::string text =
      message_.empty() || details.empty() ? message_ + details : fmt::format("{}{{{}}}", message_, details);
  receiver_.onGrpcClose(*status_, text);
}

http::HeaderMap grpcHeaders(std::string_view authority, std::string_view service, std::string_view method,
                            std::optional<base::Duration> timeout) {
  http::HeaderMap headers;
  headers.add(HeaderId::Method, "POST");
  headers.add(HeaderId::Scheme, "http");
  headers.add(HeaderId::Path, fmt::format("/{}/{}", service, method));
  headers.add(HeaderId::Authority, authority);
  headers.add(HeaderId::Te, "trailers");
  headers.add(HeaderId::ContentType, "application/grpc");
  if (timeout) headers.add(HeaderId::GrpcTimeout, http::grpcTimeout(*timeout));
  return headers;
}

}  // namespace weir::upstream
