#include "proxy_wasm/grpc_callout.h"

#include "proxy_wasm/grpc_calls.h"

namespace weir::proxy_wasm {
namespace {

constexpr int kOk = 0;
constexpr int kInternal = 13;

}  // namespace

bool GrpcCallout::begin(upstream::Cluster& cluster, event::Loop& loop, const upstream::GrpcOptions& options,
                        http::HeaderMap headers, std::optional<std::string_view> request) {
  stream_ = std::make_unique<upstream::GrpcStream>(cluster, loop, static_cast<upstream::GrpcReceiver&>(*this), options);
  if (request && !stream_->send(*request, true)) return false;
  beginning_ = true;
  stream_->start(std::move(headers));
  beginning_ = false;
  return !closed_;
}

bool GrpcCallout::send(std::string_view message, bool end) {
  return stream_ == nullptr || closed_ || stream_->send(message, end);
}

void GrpcCallout::end() {
  if (stream_ != nullptr && !closed_) stream_->end();
}

void GrpcCallout::cancel() {
  events_.clear();
  stream_.reset();
}

void GrpcCallout::onGrpcInitialMetadata(http::HeaderMap& metadata) {
  if (kind_ == Kind::Stream) came({Event::Kind::InitialMetadata, std::move(metadata)});
}

void GrpcCallout::onGrpcMessage(base::BufferChain& message) {
  if (kind_ == Kind::Unary) {
    answer_ = std::move(message);
    return;
  }
  came({Event::Kind::Message, {}, std::move(message)});
}

void GrpcCallout::onGrpcTrailingMetadata(http::HeaderMap& metadata) {
  if (kind_ == Kind::Stream) came({Event::Kind::TrailingMetadata, std::move(metadata)});
}

// As Envoy: success without a message is a failure, and says nothing of the reason.
void GrpcCallout::onGrpcClose(int status, std::string_view message) {
  closed_ = true;
  if (kind_ == Kind::Unary && status == kOk) {
    if (answer_) return came({Event::Kind::Message, {}, std::move(*answer_)});
    return came({Event::Kind::Close, {}, {}, kInternal, ""});
  }
  came({Event::Kind::Close, {}, {}, status, std::string(message)});
}

void GrpcCallout::came(Event event) {
  if (beginning_) return;
  events_.push_back(std::move(event));
  owner_.onCame(*this);
}

}  // namespace weir::proxy_wasm
