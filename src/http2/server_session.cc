#include "http2/server_session.h"

#include <algorithm>

namespace weir::http2 {

using http::HeaderId;

std::unique_ptr<ServerCodec> createServerCodec(http::Wire& wire, http::ServerCodec::Events& events, Owner& owner,
                                               const Settings& settings, Stats& stats, const base::Clock& clock) {
  return std::make_unique<ServerSession>(wire, events, owner, settings, stats, clock);
}

ServerSession::ServerSession(http::Wire& wire, Events& events, Owner& owner, const Settings& settings, Stats& stats,
                             const base::Clock& clock)
    : Session(wire, owner, settings, stats, clock, Role::Server), events_(events) {}

// As Envoy, a request begins with its first header frame: the time for its headers runs from there.
Stream* ServerSession::onNewRequest(int32_t id) {
  if (fault_ || lost_) return nullptr;
  last_id_ = id;
  if (held_header_bytes_ > kMaxHeldHeaderBytes) {
    stats_.held_headers_overflow.add();
    rememberReset(id);
    nghttp2_submit_rst_stream(library_, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
    return nullptr;
  }
  Stream& stream = addStream(id);
  stream.receiver = &events_.onNewStream(stream);
  return &stream;
}

void ServerSession::onHead(Stream& stream, http::HeaderMap& headers, bool end_stream) {
  stream.head_received = true;
  stream.ended = stream.end_told = end_stream;
  const std::string_view method = headers.getOr(HeaderId::Method, "");
  stream.to_head = method == "HEAD";
  stream.tunnel = upgradeFromConnect(headers);
  stream.receiver->onHeaders(headers, end_stream);
}

void ServerSession::submitHead(Stream& stream, const http::HeaderMap& headers, nghttp2_data_provider* body) {
  const bool ends = body == nullptr;
  const FieldWriter::List* list = nullptr;
  http::HeaderMap accepted;
  if (stream.tunnel && headers.getOr(HeaderId::Status, "") == "101") {  // RFC 8441 5: 200 says yes.
    accepted = headers.clone();
    accepted.set(HeaderId::Status, "200");
    list = &writer_.response(accepted, ends, stream.to_head);
  } else {
    list = &writer_.response(headers, ends, stream.to_head);
  }
  nghttp2_submit_response(library_, stream.id, list->data(), list->size(), body);
}

// RFC 9113 5.1: frames on a stream that the client has ended, or never opened, are an error of the connection; unless
// it was us who reset the stream. Beyond the resets that are remembered nobody can tell.
void ServerSession::onFrameOfClosedStream(int32_t id) {
  if (id > last_id_ || id % 2 == 0 || final_goaway_) return;
  const auto known_end = reset_by_us_.begin() + static_cast<ptrdiff_t>(std::min(resets_, kKnownResets));
  if (std::find(reset_by_us_.begin(), known_end, id) != known_end) return;
  if (resets_ >= kKnownResets && id < *std::min_element(reset_by_us_.begin(), known_end)) return;
  endConnection({NGHTTP2_STREAM_CLOSED, "http2.frame_on_closed_stream"});
}

// --- Draining ---

// RFC 9113 6.8: the first GOAWAY refuses nothing; a round trip later the client has seen it, and what it had sent
// before is here.
void ServerSession::drain() {
  if (std::exchange(draining_, true)) return;
  const Work work(*this);
  nghttp2_submit_shutdown_notice(library_);
  Session::ping(kDrainPing);
}

void ServerSession::onPingAnswered(uint64_t mark) {
  if (mark != kDrainPing || !draining_ || final_goaway_) return owner_.onPingAnswered();
  final_goaway_ = true;
  nghttp2_submit_goaway(library_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(library_),
                        NGHTTP2_NO_ERROR, nullptr, 0);
  owner_.onWorkWaiting();
}

// --- Rapid reset (CVE-2023-44487), and streams that the peer makes us reset (CVE-2025-8671) ---

bool ServerSession::isPremature(const Stream& stream) const {
  if (stream.local_reset || stream.head_sent) return false;
  if (stream.close_code == NGHTTP2_REFUSED_STREAM && !stream.reset_by_peer) return false;
  return clock_.monotonic() - stream.begun <= kPrematureAge;
}

void ServerSession::onStreamGone(Stream& stream) {
  ++over_streams_;
  if (!stream.reset_by_peer && !stream.ended) rememberReset(stream.id);
  if (stream.close_code != NGHTTP2_NO_ERROR || stream.reset_by_peer) premature_ += isPremature(stream) ? 1 : 0;
  // Half of the first so many are bad even if every one that follows is good.
  const uint64_t of = over_streams_ < kPrematureStreams ? kPrematureStreams : over_streams_;
  if (premature_ * 2 < of || fault_) return;
  stats_.premature_resets_flood.add();
  endConnection({NGHTTP2_ENHANCE_YOUR_CALM, "http2.too_many_premature_resets"});
}

}  // namespace weir::http2
