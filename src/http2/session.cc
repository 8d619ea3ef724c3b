#include "http2/session.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace weir::http2 {

// --- Streams ---

Stream& Session::addStream(int32_t id) {
  streams_.push_back(std::make_unique<Stream>(*this, id, clock_.monotonic()));
  Stream& stream = *streams_.back();
  stream.position = streams_.size() - 1;
  ++told_streams_;
  stats_.streams_active.add();
  return stream;
}

// From nghttp2: nothing more comes or goes on it.
void Session::onStreamClosed(Stream& stream, uint32_t code) {
  stream.closed = true;
  stream.close_code = code;
  if (code == NGHTTP2_REFUSED_STREAM) stats_.stream_refused_errors.add();
  onStreamGone(stream);
  if (sending_) {
    ended_.push_back(&stream);
  } else {
    settle(stream);
  }
}

// As Envoy: a message that is too big breaks no rule, and counts as one that was given up.
bool Session::overLimit(const Stream& stream) {
  return stream.fault == "http2.too_many_headers" || stream.fault == "http2.header_list_size_too_large" ||
         stream.fault == "http2.unsent_metadata_overflow";
}

bool Session::ourFault(const Stream& stream) const { return !stream.reset_by_peer && !stream.local_reset; }

// One receiver fewer. reset: why, of a stream that was not complete.
void Session::countOver(std::optional<http::ResetReason> reset) {
  --told_streams_;
  if (reset) owner_.onStreamReset(*reset);
  owner_.onStreamOver();
}

// A closed stream: tells its end, unless there is more to deliver first.
void Session::settle(Stream& stream) {
  if (stream.receiver == nullptr) return remove(stream);
  // RFC 9113 8.1: a server may answer in full and then refuse the rest of the request.
  const bool whole = stream.ended && (role_ == Role::Client || stream.out_ended) &&
                     (stream.close_code == NGHTTP2_NO_ERROR || role_ == Role::Client);
  if (whole && role_ == Role::Client && !stream.end_told && (stream.pauses > 0 || !stream.head_received)) return;
  http::StreamReceiver* const receiver = std::exchange(stream.receiver, nullptr);
  if (whole) {
    countOver();
    receiver->onComplete();
    return remove(stream);
  }
  http::ResetReason reason = http::ResetReason::RemoteReset;
  std::string_view detail = stream.fault.empty() ? std::string_view("http2.remote_reset") : stream.fault;
  if (stream.close_code == NGHTTP2_REFUSED_STREAM) {
    reason = http::ResetReason::RefusedStream;
    detail = "http2.remote_refuse";
  } else if (ourFault(stream) && !overLimit(stream)) {
    reason = http::ResetReason::ProtocolError;
  }
  countOver(reason);
  remove(stream);
  receiver->onReset(reason, detail);
}

void Session::remove(Stream& stream) {
  dropReceived(stream);
  dropUnsentMetadata(stream);
  if (!stream.closed && stream.id != 0) nghttp2_session_set_stream_user_data(library_, stream.id, nullptr);
  pending_ -= stream.out.size();
  stats_.pending_send_bytes.sub(static_cast<int64_t>(stream.out.size()));
  held_header_bytes_ -= stream.held_header_bytes;
  if (stream.blocked) --blocked_streams_;
  stats_.streams_active.sub();
  const size_t position = stream.position;
  dead_.push_back(std::move(streams_[position]));
  if (position + 1 != streams_.size()) {
    streams_[position] = std::move(streams_.back());
    streams_[position]->position = position;
  }
  streams_.pop_back();
}

// The receiver wants no more of it.
void Session::letGo(Stream& stream, http::ResetReason reason) {
  if (std::exchange(stream.receiver, nullptr) == nullptr) return;
  dropReceived(stream);
  countOver(reason);
  if (stream.closed || stream.id == 0) return remove(stream);
  if (stream.out_ended && role_ == Role::Server) {
    // The answer is complete and goes out as the client takes it. RFC 9113 8.1: then NO_ERROR asks it to stop sending.
    if (stream.end_sent) nghttp2_submit_rst_stream(library_, NGHTTP2_FLAG_NONE, stream.id, NGHTTP2_NO_ERROR);
    return;
  }
  stream.local_reset = true;
  uint32_t code = role_ == Role::Client ? NGHTTP2_CANCEL : NGHTTP2_INTERNAL_ERROR;
  if (reason == http::ResetReason::ProtocolError) code = NGHTTP2_PROTOCOL_ERROR;
  // RFC 9113 8.5: of a tunnel whose other end was lost.
  if (reason == http::ResetReason::ConnectionFailure && role_ == Role::Server) code = NGHTTP2_CONNECT_ERROR;
  nghttp2_submit_rst_stream(library_, NGHTTP2_FLAG_NONE, stream.id, code);
}

// Client side: the response is complete. If the request is not, nobody wants the rest of it.
void Session::endEarly(Stream& stream) {
  http::StreamReceiver* const receiver = std::exchange(stream.receiver, nullptr);
  countOver(http::ResetReason::LocalReset);
  stream.local_reset = true;
  nghttp2_submit_rst_stream(library_, NGHTTP2_FLAG_NONE, stream.id, NGHTTP2_NO_ERROR);
  receiver->onComplete();
}

// --- The end of the connection ---

void Session::loseAll(std::string_view detail, http::ResetReason reason) {
  const Work work(*this);
  lost_ = true;
  // A receiver that hears of its end may end others: always the last one that is left.
  while (!streams_.empty()) {
    Stream& stream = *streams_.back();
    http::StreamReceiver* const receiver = std::exchange(stream.receiver, nullptr);
    if (receiver != nullptr) countOver(reason);
    remove(stream);
    if (receiver != nullptr) receiver->onReset(reason, detail);
  }
  ended_.clear();
}

bool Session::over() const {
  return lost_ || fault_ || (nghttp2_session_want_read(library_) == 0 && nghttp2_session_want_write(library_) == 0);
}

// Something is wrong with the connection as a whole.
void Session::endConnection(Fault fault) {
  if (fault_) return;
  fault_ = fault;
  nghttp2_session_terminate_session(library_, fault.code);
}

void Session::ping(uint64_t mark) {
  const Work work(*this);
  uint8_t payload[8];
  std::memcpy(payload, &mark, sizeof(payload));
  nghttp2_submit_ping(library_, NGHTTP2_FLAG_NONE, payload);
}

void Session::drainWire() {
  const Work work(*this);
  wire_blocked_ = false;
}

// The end of a Work.
void Session::leave() {
  if (depth_ > 1) {
    --depth_;
    more_ = true;
    return;
  }
  do {
    more_ = false;
    if (!lost_) sendQueued();
    while (!ended_.empty()) {
      Stream& stream = *ended_.back();
      ended_.pop_back();
      settle(stream);
    }
    if (blocked_streams_ > 0 || pending_ > kShareBytes) {
      // Backwards: a stream whose receiver ends it here is replaced by one that was looked at already.
      for (size_t i = streams_.size(); i-- > 0;) {
        if (i < streams_.size()) judgeSender(*streams_[i]);
      }
    }
  } while (more_ && !lost_);
  --depth_;
  dead_.clear();
}

}  // namespace weir::http2
