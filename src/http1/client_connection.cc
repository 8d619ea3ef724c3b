#include "http1/client_connection.h"

#include <utility>

#include "base/check.h"
#include "http1/fields.h"

namespace weir::http1 {
namespace {

constexpr Fault kUnsolicited{502, "http1.unsolicited_response"};
constexpr Fault kUnsolicitedUpgrade{502, "http1.unsolicited_upgrade"};
constexpr Fault kTooManyInformational{502, "http1.too_many_informational_responses"};

Limits limitsOf(const ClientSettings& settings) { return {settings.max_headers_kb, settings.max_headers_count}; }

}  // namespace

std::unique_ptr<http::ClientCodec> createClientCodec(http::Wire& wire, const ClientSettings& settings,
                                                     ReadControl* read_control) {
  return std::make_unique<ClientConnection>(wire, settings, read_control);
}

ClientConnection::ClientConnection(http::Wire& wire, const ClientSettings& settings, ReadControl* read_control)
    : wire_(wire),
      settings_(settings),
      read_control_(read_control),
      head_reader_(HeadReader::Kind::Response, headLimit(limitsOf(settings))),
      body_reader_(limitsOf(settings)) {}

http::Stream& ClientConnection::newStream(http::StreamReceiver& receiver) {
  CHECK(available());
  receiver_ = &receiver;
  head_sent_ = request_sent_ = is_head_ = is_connect_ = may_switch_ = switches_ = false;
  informational_ = 0;
  bytes_sent_ = bytes_received_ = field_bytes_sent_ = field_bytes_received_ = 0;
  reading_ = Reading::Head;
  if (wire_blocked_) receiver_->onSendBlocked();
  return *this;
}

base::Result<void> ClientConnection::receive(base::BufferChain& bytes) {
  if (receiving_) return base::Ok{};  // A callback resumed the connection: the loop under way goes on by itself.
  receiving_ = true;
  while (!bytes.empty() && receiver_ != nullptr) {
    if (!head_sent_ || reading_ == Reading::Ended) {
      fail(kUnsolicited);
      break;
    }
    switch (reading_) {
      case Reading::Head: readHead(bytes); break;
      case Reading::Tunnel: readTunnel(bytes); break;
      default: readBody(bytes); break;
    }
  }
  receiving_ = false;
  if (given_up_ && !fault_) bytes.clear();
  if (bytes.empty() && !fault_) return base::Ok{};
  // Bytes that nobody asked for: whose answer they would be taken for must never be a question.
  bytes.clear();
  reusable_ = false;
  return toError(std::exchange(fault_, std::nullopt).value_or(kUnsolicited), base::Side::Upstream);
}

void ClientConnection::readHead(base::BufferChain& bytes) {
  const HeadReader::State state = head_reader_.read(bytes);
  if (state == HeadReader::State::Fault) return fail(head_reader_.fault());
  if (state == HeadReader::State::Incomplete) return;

  http::HeaderMap headers;
  ResponseHead head;
  bytes_received_ += head_reader_.head().size();
  field_bytes_received_ += head_reader_.fieldBytes();
  const std::optional<Fault> fault = parseResponseHead(head_reader_.head(), limitsOf(settings_), headers, head);
  head_reader_.release(bytes);
  if (fault) return fail(*fault);
  if (takesTunnel(head.status)) return beginTunnel(headers);
  head.status < 200 ? onInformational(headers, head) : onFinal(headers, head, bytes);
}

// RFC 9110 7.8 and 9.3.6.
bool ClientConnection::takesTunnel(int status) const {
  if (!switches_) return false;
  return is_connect_ ? status >= 200 && status < 300 : status == 101;
}

void ClientConnection::beginTunnel(http::HeaderMap& headers) {
  // RFC 9110 9.3.6: what a length says of a tunnel is ignored.
  headers.remove(http::HeaderId::ContentLength);
  headers.remove(http::HeaderId::TransferEncoding);
  reading_ = Reading::Tunnel;
  receiver_->onHeaders(headers, false);
}

void ClientConnection::readTunnel(base::BufferChain& bytes) {
  base::BufferChain taken;
  taken.append(bytes);
  bytes_received_ += taken.size();
  receiver_->onBody(taken, false);
}

void ClientConnection::onInformational(http::HeaderMap& headers, const ResponseHead& head) {
  if (head.status == 101) return fail(kUnsolicitedUpgrade);
  if (++informational_ > kMaxInformational) return fail(kTooManyInformational);
  receiver_->onInformational(headers);
}

void ClientConnection::onFinal(http::HeaderMap& headers, const ResponseHead& head, const base::BufferChain& rest) {
  const Framing& framing = head.framing;
  if (switches_) request_sent_ = true;  // Nothing more will be asked of this connection.
  if (framing.close || (head.version_minor == 0 && !framing.keep_alive)) reusable_ = false;
  const bool bodiless = is_head_ || head.status == 204 || head.status == 304;
  if (bodiless || (!framing.chunked && framing.content_length == 0u)) {
    receiver_->onHeaders(headers, true);
    if (receiver_ != nullptr) endResponse(rest);
    return;
  }
  reading_ = Reading::Body;
  if (framing.chunked) {
    body_reader_.expectChunks();
  } else if (framing.content_length) {
    body_reader_.expectLength(*framing.content_length);
  } else {
    body_reader_.expectUntilClose();
    reusable_ = false;
  }
  receiver_->onHeaders(headers, false);
}

void ClientConnection::readBody(base::BufferChain& bytes) {
  base::BufferChain body;
  const size_t before = bytes.size();
  const BodyReader::State state = body_reader_.read(bytes, body);
  bytes_received_ += before - bytes.size();
  if (!body.empty()) {
    receiver_->onBody(body, false);
    if (receiver_ == nullptr) return;
  }
  if (state == BodyReader::State::Fault) return fail(body_reader_.fault());
  if (state != BodyReader::State::Done) return;
  const bool trailers = settings_.enable_trailers && !body_reader_.trailers().empty();
  if (trailers) {
    receiver_->onTrailers(body_reader_.trailers());
  } else {
    base::BufferChain nothing;
    receiver_->onBody(nothing, true);
  }
  if (receiver_ != nullptr) endResponse(bytes);
}

// rest: what came behind the response.
void ClientConnection::endResponse(const base::BufferChain& rest) {
  // Settled before the receiver hears of it, because then the connection may be given to the next request.
  if (!rest.empty() || !request_sent_) reusable_ = false;
  http::StreamReceiver* const receiver = receiver_;
  forgetStream();
  receiver->onComplete();
}

void ClientConnection::fail(const Fault& fault) {
  fault_ = fault;
  endWith(http::ResetReason::ProtocolError, fault.detail);
}

void ClientConnection::endWith(http::ResetReason reason, std::string_view detail) {
  reusable_ = false;
  http::StreamReceiver* const receiver = receiver_;
  forgetStream();
  receiver->onReset(reason, detail);
}

void ClientConnection::forgetStream() {
  receiver_ = nullptr;
  pauses_ = 0;
  head_reader_.reset();
  steerReading();
  if (read_control_ != nullptr) read_control_->onStreamOver();
}

void ClientConnection::receiveEnd() {
  reusable_ = false;
  if (receiver_ == nullptr) return;
  base::BufferChain nothing;
  // Bytes that never became a head: whatever that was, it was no response.
  if (reading_ == Reading::Head && !head_reader_.head().empty()) {
    return endWith(http::ResetReason::ProtocolError, "upstream_connection_closed_within_head");
  }
  if (reading_ == Reading::Ended) return;
  if (reading_ == Reading::Tunnel) {
    reading_ = Reading::Ended;
    receiver_->onBody(nothing, true);
    if (receiver_ != nullptr && request_sent_) endResponse(nothing);
    return;
  }
  if (reading_ == Reading::Head || !body_reader_.endsWithConnection()) {
    return connectionLost("upstream_connection_closed_within_response");
  }
  receiver_->onBody(nothing, true);
  if (receiver_ != nullptr) endResponse(nothing);
}

void ClientConnection::connectionLost(std::string_view detail) {
  reusable_ = false;
  if (receiver_ != nullptr) endWith(http::ResetReason::ConnectionTermination, detail);
}

void ClientConnection::wireBlocked() {
  if (std::exchange(wire_blocked_, true)) return;
  if (receiver_ != nullptr) receiver_->onSendBlocked();
}

void ClientConnection::wireDrained() {
  if (!std::exchange(wire_blocked_, false)) return;
  if (receiver_ != nullptr) receiver_->onSendDrained();
}

void ClientConnection::pauseReceiving() {
  ++pauses_;
  steerReading();
}

void ClientConnection::resumeReceiving() {
  CHECK(pauses_ > 0);
  --pauses_;
  steerReading();
}

void ClientConnection::steerReading() {
  const bool pause = pauses_ > 0;
  if (pause == paused_) return;
  paused_ = pause;
  if (read_control_ == nullptr) return;
  pause ? read_control_->onPauseConnection() : read_control_->onResumeConnection();
}

}  // namespace weir::http1
