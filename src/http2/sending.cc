// What goes out: message parts to frames, as far as the peer's windows and the wire allow.
#include <algorithm>

#include "base/check.h"
#include "http2/session.h"

namespace weir::http2 {

// --- http::Stream ---

void Stream::sendHeaders(const http::HeaderMap& headers, bool end_stream) {
  CHECK(receiver != nullptr && !head_sent);
  const Session::Work work(session);
  session.submitHeaders(*this, headers, end_stream);
}

void Stream::sendInformational(const http::HeaderMap& headers) {
  if (head_sent || session.role_ == Session::Role::Client) return;
  const Session::Work work(session);
  const FieldWriter::List& list = session.writer_.response(headers, true, true);
  nghttp2_submit_headers(session.library_, NGHTTP2_FLAG_NONE, id, nullptr, list.data(), list.size(), nullptr);
}

void Stream::sendBody(base::BufferChain& bytes, bool end_stream) {
  CHECK(receiver != nullptr && head_sent);
  const Session::Work work(session);
  session.addBody(*this, bytes, end_stream);
}

void Stream::sendTrailers(const http::HeaderMap& trailers) {
  CHECK(receiver != nullptr && head_sent);
  const Session::Work work(session);
  trailers_out = trailers.clone();
  base::BufferChain nothing;
  session.addBody(*this, nothing, true);
}

void Stream::sendMetadata(const http::Metadata& metadata) {
  CHECK(receiver != nullptr);
  if (!session.settings_.allow_metadata || metadata.empty() || closed || out_ended) return;
  const Session::Work work(session);
  session.addMetadata(*this, metadata);
}

void Stream::reset(http::ResetReason reason) {
  const Session::Work work(session);
  session.letGo(*this, reason);
}

void Stream::pauseReceiving() { ++pauses; }

void Stream::resumeReceiving() {
  CHECK(pauses > 0);
  if (--pauses == 0 && (!in.empty() || (ended && !end_told))) session.owner_.onWorkWaiting();
}

// --- Sending ---

void Session::submitHeaders(Stream& stream, const http::HeaderMap& headers, bool end_stream) {
  stream.head_sent = true;
  stream.out_ended = end_stream;
  nghttp2_data_provider body = bodyOf(stream);
  submitHead(stream, headers, end_stream ? nullptr : &body);
}

void Session::addBody(Stream& stream, base::BufferChain& bytes, bool end_stream) {
  if (stream.closed) {  // The receiver has not been told yet.
    bytes.clear();
    return;
  }
  pending_ += bytes.size();
  stats_.pending_send_bytes.add(static_cast<int64_t>(bytes.size()));
  stream.out.append(bytes);
  stream.out_ended = stream.out_ended || end_stream;
  wakeSender(stream);
}

// Goes before what of the body has not left: there is no window for it.
void Session::addMetadata(Stream& stream, const http::Metadata& metadata) {
  std::vector<std::string> payloads = metadata_writer_.payloads(metadata);
  size_t size = 0;
  for (const std::string& payload : payloads) size += payload.size();
  if (unsent_metadata_ + size > kMaxUnsentMetadata) {
    stats_.unsent_metadata_overflow.add();
    if (stream.id == 0) return;  // There is nothing to reset yet; it loses this.
    return refuseMetadata(stream, NGHTTP2_INTERNAL_ERROR, "http2.unsent_metadata_overflow");
  }
  unsent_metadata_ += size;
  for (std::string& payload : payloads) {
    stream.metadata_out.push_back(std::move(payload));
    stream.metadata_flags.push_back(0);
  }
  stream.metadata_flags.back() = kEndMetadata;
  // A request's must not come before its HEADERS, which may have to wait.
  if (role_ == Role::Server || stream.head_on_wire) submitMetadata(stream);
}

void Session::submitMetadata(Stream& stream) {
  for (; !stream.metadata_flags.empty(); stream.metadata_flags.pop_front()) {
    nghttp2_submit_extension(library_, kMetadataFrame, stream.metadata_flags.front(), stream.id, nullptr);
  }
}

// nghttp2 wants the next frame's payload.
ssize_t Session::packMetadata(Stream& stream, uint8_t* to, size_t room) {
  const std::string payload = std::move(stream.metadata_out.front());
  stream.metadata_out.pop_front();
  unsent_metadata_ -= payload.size();
  CHECK(payload.size() <= room);
  payload.copy(reinterpret_cast<char*>(to), payload.size());
  return static_cast<ssize_t>(payload.size());
}

void Session::dropUnsentMetadata(Stream& stream) {
  for (const std::string& payload : stream.metadata_out) unsent_metadata_ -= payload.size();
  stream.metadata_out.clear();
  stream.metadata_flags.clear();
}

void Session::wakeSender(Stream& stream) {
  if (std::exchange(stream.waiting, false)) nghttp2_session_resume_data(library_, stream.id);
}

// Tells the receiver when too much waits, and when little does again.
void Session::judgeSender(Stream& stream) {
  if (stream.receiver == nullptr) return;
  const size_t part = stream.blocked ? 2 : 1;
  const size_t size = stream.out.size();
  const bool much = size > kStreamBytes / part || (size > kShareBytes / part && pending_ > kConnectionBytes / part);
  if (much == stream.blocked) return;
  stream.blocked = much;
  blocked_streams_ = much ? blocked_streams_ + 1 : blocked_streams_ - 1;
  much ? stream.receiver->onSendBlocked() : stream.receiver->onSendDrained();
}

// nghttp2 asks how much of the body it can send.
ssize_t Session::nextData(Stream& stream, size_t room, uint32_t* flags) {
  const size_t size = std::min(room, stream.out.size());
  if (size == 0 && !stream.out_ended) {
    stream.waiting = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (!stream.out_ended || size < stream.out.size()) return static_cast<ssize_t>(size);
  *flags |= NGHTTP2_DATA_FLAG_EOF;
  if (!stream.trailers_out) return static_cast<ssize_t>(size);
  const FieldWriter::List& list = writer_.trailers(*stream.trailers_out);
  if (list.empty()) return static_cast<ssize_t>(size);
  *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
  nghttp2_submit_trailer(library_, stream.id, list.data(), list.size());
  return static_cast<ssize_t>(size);
}

void Session::putData(Stream& stream, const uint8_t* frame_header, size_t size) {
  out_.append(std::string_view(reinterpret_cast<const char*>(frame_header), 9));
  out_.appendFrom(stream.out, size);
  pending_ -= size;
  stats_.pending_send_bytes.sub(static_cast<int64_t>(size));
  stream.bytes_sent += size + 9;
  meter_.onDataSent();
}

void Session::countHeadersSent(Stream& stream, const nghttp2_frame& frame) {
  stream.bytes_sent += frame.hd.length + 9;
  stream.header_bytes_sent += frame.hd.length + 9;
  for (size_t i = 0; i < frame.headers.nvlen; ++i) {
    stream.plain_bytes_sent += frame.headers.nva[i].namelen + frame.headers.nva[i].valuelen;
  }
}

void Session::onFrameSent(const nghttp2_frame& frame) {
  all_frames_.add();
  Stream* stream = frame.hd.stream_id == 0
                       ? nullptr
                       : static_cast<Stream*>(nghttp2_session_get_stream_user_data(library_, frame.hd.stream_id));
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
      if (stream == nullptr) break;
      countHeadersSent(*stream, frame);
      stream->head_on_wire = true;
      submitMetadata(*stream);
      break;
    case kMetadataFrame:  // As Envoy: no answer to a frame, so none of the control frames.
      if (stream != nullptr) stream->bytes_sent += frame.hd.length + 9;
      return;
    case NGHTTP2_DATA: break;
    case NGHTTP2_RST_STREAM:
      stats_.tx_reset.add();
      control_frames_.add();
      return;
    case NGHTTP2_GOAWAY: stats_.goaway_sent.add(); return;
    default: control_frames_.add(); return;
  }
  if (stream == nullptr || (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return;
  stream->end_sent = true;
  // RFC 9113 8.1: the answer is complete, and the rest of the request not wanted.
  if (role_ == Role::Server && stream->receiver == nullptr && !stream->ended) {
    nghttp2_submit_rst_stream(library_, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
  }
}

// Everything that can go now goes to the wire. While the wire is blocked, frames wait in nghttp2, which limits them.
void Session::sendQueued() {
  if (wire_blocked_ && !fault_) return;
  sending_ = true;
  const int result = nghttp2_session_send(library_);
  sending_ = false;
  if (result != 0 && !fault_) {
    fault_ = Fault{NGHTTP2_INTERNAL_ERROR, "http2.codec_error"};
    owner_.onWorkWaiting();
  }
  if (out_.empty()) return;
  put_ += out_.size();
  wire_.send(out_);
  if (outboundFlood()) more_ = true;
}

// The peer makes us write and does not read.
bool Session::outboundFlood() {
  const size_t unsent = wire_.unsent();
  const uint64_t gone = put_ - std::min<uint64_t>(put_, unsent);
  const bool frames = all_frames_.outstanding(gone, put_) > settings_.max_outbound_frames;
  const bool control = control_frames_.outstanding(gone, put_) > settings_.max_outbound_control_frames;
  if (fault_ || (!frames && !control)) return false;
  (control ? stats_.outbound_control_flood : stats_.outbound_flood).add();
  endConnection(
      {NGHTTP2_ENHANCE_YOUR_CALM, control ? "http2.outbound_control_frames_flood" : "http2.outbound_frames_flood"});
  owner_.onWorkWaiting();  // receive() will say so.
  return true;
}

}  // namespace weir::http2
