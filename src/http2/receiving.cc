// What comes in: bytes to message parts, and the windows that the peer is given for them.
#include <algorithm>

#include "base/check.h"
#include "http2/session.h"

namespace weir::http2 {
namespace {

base::Error toError(std::string_view detail, base::Side side) {
  return {base::Code::Malformed, side, base::Retry::No, std::string(detail)};
}

std::string_view nameOf(Flood flood) {
  switch (flood) {
    case Flood::EmptyFrames: return "http2.inbound_empty_frames_flood";
    case Flood::Priority: return "http2.inbound_priority_frames_flood";
    case Flood::WindowUpdate: return "http2.inbound_window_update_frames_flood";
    case Flood::Ping: return "http2.inbound_ping_frames_flood";
    case Flood::Settings: return "http2.inbound_settings_frames_flood";
    case Flood::Reset: return "http2.inbound_reset_frames_flood";
    case Flood::Unknown: return "http2.inbound_unknown_frames_flood";
    case Flood::Metadata: return "http2.inbound_metadata_frames_flood";
    case Flood::Continuation: return "http2.inbound_continuation_flood";
    case Flood::TableSizeUpdates: return "http2.inbound_table_size_updates_flood";
    case Flood::None: break;
  }
  return {};
}

}  // namespace

base::Result<void> Session::feed(base::BufferChain& bytes) {
  const base::Side side = role_ == Role::Server ? base::Side::Client : base::Side::Upstream;
  {
    const Work work(*this);
    if (lost_ || fault_) bytes.clear();
    CHECK(!receiving_);
    deliverWaiting();
    receiving_ = true;
    const std::function<bool(int32_t)> is_open = [this](int32_t id) {
      return role_ == Role::Client || nghttp2_session_get_stream_user_data(library_, id) != nullptr;
    };
    while (!bytes.empty() && !fault_ && !lost_) {
      const FrameMeter::Progress progress = meter_.pass(bytes.front(), is_open);
      if (progress.flood != Flood::None) {
        countFlood(progress.flood);
        break;
      }
      const std::string_view piece = bytes.front().substr(0, progress.passed);
      const ssize_t taken =
          nghttp2_session_mem_recv(library_, reinterpret_cast<const uint8_t*>(piece.data()), piece.size());
      if (taken < 0) {
        if (taken == NGHTTP2_ERR_FLOODED) stats_.outbound_control_flood.add();
        endConnection(taken == NGHTTP2_ERR_FLOODED
                          ? Fault{NGHTTP2_ENHANCE_YOUR_CALM, "http2.outbound_control_frames_flood"}
                          : Fault{NGHTTP2_PROTOCOL_ERROR, "http2.codec_error"});
        break;
      }
      bytes.drain(piece.size());  // Less was taken only where all the rest is ignored.
      const int32_t unknown = progress.unknown_data;
      if (unknown != 0 && !fault_ && !is_open(unknown)) onFrameOfClosedStream(unknown);
    }
    receiving_ = false;
    if (fault_) bytes.clear();
  }
  if (fault_) return toError(fault_->detail, side);
  if (!lost_ && over() && !leaving()) return toError("http2.codec_error", side);
  return base::Ok{};
}

void Session::countFlood(Flood flood) {
  switch (flood) {
    case Flood::EmptyFrames: stats_.inbound_empty_frames_flood.add(); break;
    case Flood::Priority: stats_.inbound_priority_frames_flood.add(); break;
    case Flood::WindowUpdate: stats_.inbound_window_update_frames_flood.add(); break;
    case Flood::Ping: stats_.inbound_ping_frames_flood.add(); break;
    case Flood::Settings: stats_.inbound_settings_frames_flood.add(); break;
    case Flood::Reset: stats_.inbound_reset_frames_flood.add(); break;
    case Flood::Unknown: stats_.inbound_unknown_frames_flood.add(); break;
    case Flood::Metadata: stats_.inbound_metadata_frames_flood.add(); break;
    case Flood::Continuation: stats_.inbound_continuation_flood.add(); break;
    case Flood::TableSizeUpdates: stats_.inbound_table_size_updates_flood.add(); break;
    case Flood::None: break;
  }
  const uint32_t code =
      flood == Flood::TableSizeUpdates ? uint32_t{NGHTTP2_COMPRESSION_ERROR} : uint32_t{NGHTTP2_ENHANCE_YOUR_CALM};
  endConnection({code, nameOf(flood)});
}

// --- Heads and trailers ---

int Session::onField(Stream& stream, std::string_view name, std::string_view value) {
  stream.plain_bytes_received += name.size() + value.size();
  if (stream.receiver == nullptr) return 0;
  switch (stream.fields.add(name, value, settings_)) {
    case FieldReader::Verdict::Ok: return 0;
    case FieldReader::Verdict::TooMany:
      stats_.header_overflow.add();
      stream.fault = "http2.too_many_headers";
      break;
    case FieldReader::Verdict::TooLarge:
      stats_.header_list_size_too_large.add();
      stream.fault = "http2.header_list_size_too_large";
      break;
  }
  return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // As Envoy: INTERNAL_ERROR, and the rest of the block is decoded only.
}

// A whole block has come, and nghttp2 found the message well-formed so far.
void Session::onBlock(Stream& stream, bool end_stream) {
  http::HeaderMap headers = stream.fields.take();
  if (stream.receiver == nullptr) {
    stream.ended = stream.ended || end_stream;
    return;
  }
  stream.held_header_bytes += stream.fields.kept();
  held_header_bytes_ += stream.fields.kept();
  if (!stream.head_received) return onHead(stream, headers, end_stream);

  // Trailers: RFC 9113 8.1, they end the stream (nghttp2 has looked).
  stats_.trailers.add();
  stream.ended = true;
  stream.trailers_in = std::move(headers);
  deliver(stream);
}

// --- METADATA ---

bool Session::takesMetadata(const Stream& stream) const {
  const bool begun = role_ == Role::Client || stream.head_received;
  return stream.receiver != nullptr && begun && !stream.ended && stream.fault.empty();
}

uint64_t Session::maxHeldMetadata() const {
  return std::max<uint64_t>(kMaxHeldMetadata, 4 * std::min<uint64_t>(settings_.max_metadata_size, uint64_t{1} << 40));
}

void Session::onMetadataPart(Stream& stream, std::string_view bytes) {
  stream.metadata_received += bytes.size();
  if (stream.metadata_received > settings_.max_metadata_size) {
    stats_.metadata_too_large.add();
    return refuseMetadata(stream, NGHTTP2_ENHANCE_YOUR_CALM, "http2.metadata_too_large");
  }
  *held_metadata_ += bytes.size();
  stream.metadata_in.append(bytes);
  if (*held_metadata_ <= maxHeldMetadata()) return;
  stats_.held_metadata_overflow.add();
  refuseMetadata(stream, NGHTTP2_ENHANCE_YOUR_CALM, "http2.held_metadata_overflow");
}

// A frame is complete. As Envoy, what it tells goes by what the receiver was not given yet because it has paused: there
// is no window for it. Envoy takes the end of a block only where END_METADATA is the frame's only flag; RFC 9113 4.1
// has us ignore others.
void Session::onMetadataFrame(Stream& stream, uint8_t flags) {
  if ((flags & kEndMetadata) == 0) return;
  const std::string block = std::move(stream.metadata_in);
  stream.metadata_in.clear();
  http::Metadata metadata;
  const MetadataVerdict verdict = decodeMetadata(block, held_metadata_, maxHeldMetadata(), metadata);
  *held_metadata_ -= block.size();
  switch (verdict) {
    case MetadataVerdict::Ok: break;
    case MetadataVerdict::Malformed:
      stats_.rx_messaging_error.add();
      return refuseMetadata(stream, NGHTTP2_PROTOCOL_ERROR, "http2.invalid_metadata");
    case MetadataVerdict::TooMuch:
      stats_.held_metadata_overflow.add();
      return refuseMetadata(stream, NGHTTP2_ENHANCE_YOUR_CALM, "http2.held_metadata_overflow");
  }
  if (metadata.empty()) return stats_.metadata_empty_frames.add();
  stream.receiver->onMetadata(metadata);
}

void Session::refuseMetadata(Stream& stream, uint32_t code, std::string_view fault) {
  stream.fault = fault;
  nghttp2_submit_rst_stream(library_, NGHTTP2_FLAG_NONE, stream.id, code);
}

// --- Bodies ---

void Session::onData(Stream& stream, std::string_view bytes) {
  stream.bytes_received += bytes.size();
  if (stream.receiver == nullptr) {
    nghttp2_session_consume(library_, stream.id, bytes.size());
    return;
  }
  stream.in.append(bytes);
  if (role_ == Role::Client) {
    nghttp2_session_consume_connection(library_, bytes.size());
    stream.in_consumed += bytes.size();
  }
}

void Session::onDataFrame(Stream& stream, bool end_stream) {
  stream.bytes_received += 9;
  stream.ended = stream.ended || end_stream;
  deliver(stream);
}

// Tells the receiver what has come, unless it has paused.
void Session::deliver(Stream& stream) {
  if (stream.receiver == nullptr || stream.pauses > 0 || stream.end_told) return;
  const bool trailers = stream.trailers_in.has_value();
  const bool end = stream.ended && !trailers;
  if (!stream.in.empty() || end) {
    base::BufferChain bytes = std::move(stream.in);
    const size_t size = bytes.size();
    stream.end_told = end;
    stream.receiver->onBody(bytes, end);
    giveBack(stream, size);
    if (stream.receiver == nullptr) return;
  }
  if (trailers && stream.pauses == 0) {
    stream.end_told = true;
    stream.receiver->onTrailers(*stream.trailers_in);
  }
  if (stream.end_told) afterEnd(stream);
}

// The receiver has been told the message's end.
void Session::afterEnd(Stream& stream) {
  if (role_ == Role::Client && stream.receiver != nullptr && !stream.end_sent && !stream.closed) endEarly(stream);
}

// Delivered bytes are window again.
void Session::giveBack(Stream& stream, size_t delivered) {
  const size_t ahead = std::min(stream.in_consumed, delivered);
  stream.in_consumed -= ahead;
  if (lost_) return;
  if (!stream.closed) nghttp2_session_consume_stream(library_, stream.id, delivered);
  if (delivered > ahead) nghttp2_session_consume_connection(library_, delivered - ahead);
}

void Session::dropReceived(Stream& stream) {
  *held_metadata_ -= stream.metadata_in.size();
  stream.metadata_in.clear();
  const size_t size = stream.in.size();
  stream.in.clear();
  if (size > 0) giveBack(stream, size);
}

// What waited for receivers that have resumed.
void Session::deliverWaiting() {
  for (size_t i = 0; i < streams_.size(); ++i) {
    Stream& stream = *streams_[i];
    if (stream.pauses > 0 || stream.end_told || stream.receiver == nullptr || !stream.head_received) continue;
    if (stream.in.empty() && !stream.ended) continue;
    deliver(stream);
    if (stream.closed && stream.receiver != nullptr) ended_.push_back(&stream);
    more_ = true;
  }
}

}  // namespace weir::http2
