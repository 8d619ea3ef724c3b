#include "http2/client_session.h"

#include <algorithm>

#include "base/check.h"
#include "http/status.h"

namespace weir::http2 {

using http::HeaderId;

std::unique_ptr<ClientCodec> createClientCodec(http::Wire& wire, Owner& owner, const Settings& settings, Stats& stats,
                                               const base::Clock& clock) {
  return std::make_unique<ClientSession>(wire, owner, settings, stats, clock);
}

ClientSession::ClientSession(http::Wire& wire, Owner& owner, const Settings& settings, Stats& stats,
                             const base::Clock& clock)
    : Session(wire, owner, settings, stats, clock, Role::Client) {
  const Work work(*this);  // The preface.
}

base::Result<void> ClientSession::receive(base::BufferChain& bytes) {
  base::Result<void> result = feed(bytes);
  if (!result.ok()) loseAll(result.error().detail, http::ResetReason::ProtocolError);
  return result;
}

bool ClientSession::reusable() const {
  return !going_ && !over() && nghttp2_session_check_request_allowed(library_) != 0;
}

uint32_t ClientSession::capacity() const {
  return std::min(settings_.max_concurrent_streams,
                  nghttp2_session_get_remote_settings(library_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS));
}

http::Stream& ClientSession::newStream(http::StreamReceiver& receiver) {
  CHECK(available());
  Stream& stream = addStream(0);
  stream.receiver = &receiver;
  return stream;
}

void ClientSession::submitHead(Stream& stream, const http::HeaderMap& headers, nghttp2_data_provider* body) {
  stream.tunnel = stream.may_tunnel && asksForUpgrade(headers);
  if (stream.tunnel && !settings_seen_) {
    stream.head_out = headers.clone();
    return;
  }
  // RFC 8441 3: a client must not send ":protocol" to who has not said that it takes it.
  if (stream.tunnel && nghttp2_session_get_remote_settings(library_, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) != 1) {
    return refuse(stream, "http2.extended_connect_not_enabled");
  }
  const FieldWriter::List& list = writer_.request(headers, body == nullptr, stream.may_tunnel);
  if (list.empty()) return refuse(stream, "http2.invalid_request_headers");
  stream.to_head = headers.getOr(HeaderId::Method, "") == "HEAD";
  if (stream.tunnel) stream.asked = headers.getOr(HeaderId::Upgrade, "");
  const int32_t id = nghttp2_submit_request(library_, nullptr, list.data(), list.size(), body, &stream);
  if (id < 0) return refuse(stream, "http2.invalid_request_headers");  // Stream numbers are used up.
  stream.id = id;
}

void ClientSession::onSettingsReceived() {
  if (std::exchange(settings_seen_, true)) return;
  // One that is refused is replaced by the last.
  for (size_t i = streams_.size(); i-- > 0;) {
    if (i >= streams_.size() || !streams_[i]->head_out) continue;
    Stream& stream = *streams_[i];
    const http::HeaderMap headers = std::move(*stream.head_out);
    stream.head_out.reset();
    nghttp2_data_provider body = bodyOf(stream);
    submitHead(stream, headers, &body);
  }
}

// Plugins may set anything; what is no request must not reach the wire.
void ClientSession::refuse(Stream& stream, std::string_view detail) {
  http::StreamReceiver* const receiver = std::exchange(stream.receiver, nullptr);
  countOver();
  remove(stream);
  receiver->onReset(http::ResetReason::LocalReset, detail);
}

void ClientSession::onHead(Stream& stream, http::HeaderMap& headers, bool end_stream) {
  const auto status = http::parseStatus(headers.getOr(HeaderId::Status, ""));
  if (!status || *status == 101 || ++stream.informational > kMaxInformational) {
    stream.fault = "http2.violation.of.messaging.rule";
    stats_.rx_messaging_error.add();
    nghttp2_submit_rst_stream(library_, NGHTTP2_FLAG_NONE, stream.id, NGHTTP2_PROTOCOL_ERROR);
    return;
  }
  if (*status < 200) return stream.receiver->onInformational(headers);
  stream.head_received = true;
  stream.ended = stream.end_told = end_stream;
  // RFC 8441 5: 200 is the answer to what was asked for as an upgrade.
  if (stream.tunnel && *status == 200) {
    headers.set(HeaderId::Status, "101");
    headers.set(HeaderId::Connection, "upgrade");
    headers.set(HeaderId::Upgrade, stream.asked);
  }
  stream.receiver->onHeaders(headers, end_stream);
  if (end_stream) afterEnd(stream);
}

void ClientSession::onGoAwayReceived(uint32_t code) {
  going_ = true;
  owner_.onGoAway(code);
}

}  // namespace weir::http2
