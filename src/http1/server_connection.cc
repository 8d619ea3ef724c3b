#include "http1/server_connection.h"

#include <utility>

#include "base/check.h"
#include "http/characters.h"
#include "http1/fields.h"

namespace weir::http1 {
namespace {

using http::HeaderId;

Limits limitsOf(const ServerSettings& settings) { return {settings.max_headers_kb, settings.max_headers_count}; }

}  // namespace

std::unique_ptr<http::ServerCodec> createServerCodec(http::Wire& wire, http::ServerCodec::Events& events,
                                                     const ServerSettings& settings) {
  return std::make_unique<ServerConnection>(wire, events, settings);
}

ServerConnection::ServerConnection(http::Wire& wire, Events& events, const ServerSettings& settings)
    : wire_(wire),
      events_(events),
      settings_(settings),
      head_reader_(HeadReader::Kind::Request, headLimit(limitsOf(settings))),
      body_reader_(limitsOf(settings)) {}

base::Result<void> ServerConnection::receive(base::BufferChain& bytes) {
  if (receiving_) return base::Ok{};  // A callback resumed the connection: the loop under way goes on by itself.
  receiving_ = true;
  while (!bytes.empty() && reading_ != Reading::NextRequest && reading_ != Reading::Switching) {
    switch (reading_) {
      case Reading::Head: readHead(bytes); break;
      case Reading::Body: readBody(bytes); break;
      case Reading::Tunnel: readTunnel(bytes); break;
      default: bytes.clear(); break;
    }
  }
  receiving_ = false;
  backlog_ = bytes.size() > kMaxPipelinedBytes;
  steerReading();
  if (fault_ && receiver_ == nullptr) return toError(*std::exchange(fault_, std::nullopt), base::Side::Client);
  return base::Ok{};
}

void ServerConnection::readHead(base::BufferChain& bytes) {
  const HeadReader::State state = head_reader_.read(bytes);
  const std::string_view begun = head_reader_.head();
  if ((begun.empty() || begun == "\r") && state == HeadReader::State::Incomplete) return;  // Only empty lines so far.
  if (receiver_ == nullptr) beginStream();
  if (!acceptable(state) || state != HeadReader::State::Complete) return;

  http::HeaderMap headers;
  bytes_received_ += head_reader_.head().size();
  field_bytes_received_ += head_reader_.fieldBytes();
  const std::optional<Fault> fault = parseRequestHead(head_reader_.head(), settings_, headers, request_);
  head_reader_.release(bytes);
  if (fault) return fail(*fault);
  onHead(headers);
}

// What can be told of a head before it is complete, so that nobody waits for the end of what is no request. The order
// of the checks does not depend on how much has come.
bool ServerConnection::acceptable(HeadReader::State state) {
  const std::string_view head = head_reader_.head();
  if (!head.empty() && http::tokenLower(head.front()) == '\0') return fail(kCodecError), false;
  const auto line = line_checked_ || state == HeadReader::State::Complete ? std::nullopt : head_reader_.firstLine();
  if (line) {
    line_checked_ = true;
    RequestLine parsed;
    if (const auto fault = parseRequestLine(*line, settings_, parsed)) return fail(*fault), false;
  }
  if (state == HeadReader::State::Fault) return fail(head_reader_.fault()), false;
  return true;
}

void ServerConnection::beginStream() {
  request_ = RequestHead();
  line_checked_ = head_sent_ = tunnel_ = response_ended_ = false;
  bytes_sent_ = bytes_received_ = field_bytes_sent_ = field_bytes_received_ = 0;
  body_writer_.expectNone();
  receiver_ = &events_.onNewStream(*this);
  if (wire_blocked_) receiver_->onSendBlocked();
}

void ServerConnection::onHead(http::HeaderMap& headers) {
  const Framing& framing = request_.framing;
  const bool stays = request_.version_minor == 1 || framing.keep_alive;  // RFC 9112 9.3
  persistent_ = stays && !framing.close && !request_.switches;
  if (request_.switches) {
    // What follows may be in the other protocol: it is never taken for a request.
    reading_ = Reading::Switching;
    return receiver_->onHeaders(headers, false);
  }

  const bool has_body = framing.chunked || framing.content_length.value_or(0) > 0;
  if (framing.chunked) {
    body_reader_.expectChunks();
  } else {
    body_reader_.expectLength(framing.content_length.value_or(0));
  }
  reading_ = has_body ? Reading::Body : Reading::NextRequest;
  receiver_->onHeaders(headers, !has_body);
}

void ServerConnection::readBody(base::BufferChain& bytes) {
  base::BufferChain body;
  const size_t before = bytes.size();
  const BodyReader::State state = body_reader_.read(bytes, body);
  bytes_received_ += before - bytes.size();
  if (!body.empty()) {
    receiver_->onBody(body, false);
    if (reading_ != Reading::Body) return;  // The receiver has ended the stream.
  }
  if (state == BodyReader::State::Fault) return fail(body_reader_.fault());
  if (state == BodyReader::State::Done) deliverEnd();
}

void ServerConnection::readTunnel(base::BufferChain& bytes) {
  base::BufferChain taken;
  taken.append(bytes);
  bytes_received_ += taken.size();
  receiver_->onBody(taken, false);
}

void ServerConnection::deliverEnd() {
  reading_ = Reading::NextRequest;
  if (settings_.enable_trailers && !body_reader_.trailers().empty()) {
    receiver_->onTrailers(body_reader_.trailers());
    return;
  }
  base::BufferChain nothing;
  receiver_->onBody(nothing, true);
}

void ServerConnection::fail(const Fault& fault) {
  fault_ = fault;
  reading_ = Reading::Nothing;
  persistent_ = false;
  head_reader_.reset();
  receiver_->onMalformed(fault.status, toError(fault, base::Side::Client));
}

void ServerConnection::receiveEnd() {
  const bool within = reading_ == Reading::Head || reading_ == Reading::Body || reading_ == Reading::Switching;
  if (receiver_ != nullptr && within) return connectionLost("downstream_remote_disconnect");
  if (receiver_ != nullptr && reading_ == Reading::Tunnel) {
    reading_ = Reading::Nothing;
    base::BufferChain nothing;
    receiver_->onBody(nothing, true);
    if (receiver_ != nullptr && response_ended_) completeTunnel();
    return;
  }
  persistent_ = false;
  if (receiver_ == nullptr) reading_ = Reading::Nothing;
}

void ServerConnection::completeTunnel() {
  http::StreamReceiver* const receiver = receiver_;
  endStream();
  receiver->onComplete();
}

void ServerConnection::connectionLost(std::string_view detail) {
  reading_ = Reading::Nothing;
  persistent_ = false;
  if (receiver_ == nullptr) return;
  std::exchange(receiver_, nullptr)->onReset(http::ResetReason::ConnectionTermination, detail);
}

void ServerConnection::wireBlocked() {
  if (std::exchange(wire_blocked_, true)) return;
  if (receiver_ != nullptr) receiver_->onSendBlocked();
}

void ServerConnection::wireDrained() {
  if (!std::exchange(wire_blocked_, false)) return;
  if (receiver_ != nullptr) receiver_->onSendDrained();
}

void ServerConnection::pauseReceiving() {
  ++pauses_;
  steerReading();
}

void ServerConnection::resumeReceiving() {
  CHECK(pauses_ > 0);
  --pauses_;
  steerReading();
}

void ServerConnection::steerReading() {
  const bool pause = pauses_ > 0 || backlog_;
  if (pause == paused_) return;
  paused_ = pause;
  pause ? events_.onPauseConnection() : events_.onResumeConnection();
}

}  // namespace weir::http1
