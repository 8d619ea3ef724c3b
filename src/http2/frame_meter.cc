#include "http2/frame_meter.h"

#include <algorithm>
#include <utility>

#include "http2/codec.h"
#include "http2/metadata.h"

namespace weir::http2 {
namespace {

enum Type : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kReset = 3,
  kSettingsFrame = 4,
  kPing = 6,
  kWindowUpdate = 8,
  kContinuation = 9,
};
constexpr uint8_t kEndStream = 0x1;  // DATA, HEADERS
constexpr uint8_t kAck = 0x1;        // SETTINGS, PING
constexpr uint8_t kEndHeaders = 0x4;
constexpr uint8_t kPadded = 0x8;
constexpr uint8_t kHasPriority = 0x20;

}  // namespace

bool Allowance::take(base::MonotonicTime now) {
  if (left_ < 1) {
    // Only now, because most connections never get here and the clock costs something.
    if (filled_ != base::MonotonicTime{}) give(std::chrono::duration<double>(now - filled_).count() * per_second_);
    filled_ = now;
    if (left_ < 1) return false;
  }
  if (filled_ == base::MonotonicTime{}) filled_ = now;
  left_ -= 1;
  return true;
}

FrameMeter::FrameMeter(const Settings& settings, const base::Clock& clock, bool of_client)
    : settings_(settings), clock_(clock), of_client_(of_client), preface_left_(of_client ? kPreface.size() : 0) {}

void FrameMeter::onDataSent() {
  ++data_sent_;
  pings_.give(1);
}

FrameMeter::Progress FrameMeter::pass(std::string_view bytes, const std::function<bool(int32_t)>& is_open) {
  const size_t size = bytes.size();
  const auto at = [&] { return size - bytes.size(); };
  while (!bytes.empty()) {
    if (preface_left_ > 0) {
      const size_t part = std::min<size_t>(preface_left_, bytes.size());
      preface_left_ -= static_cast<uint32_t>(part);
      bytes.remove_prefix(part);
      continue;
    }
    if (header_size_ < header_.size()) {
      if (header_size_ == header_.size() - 1 && unknownData(bytes.front(), is_open)) {
        return {Flood::None, at(), streamId(bytes.front())};
      }
      header_[header_size_++] = static_cast<uint8_t>(bytes.front());
      bytes.remove_prefix(1);
      if (header_size_ < header_.size()) continue;
      data_checked_ = false;
      if (const Flood flood = onFrame(); flood != Flood::None) return {flood, at(), 0};
    } else {
      const std::string_view part = bytes.substr(0, payload_left_);
      if (padding_comes_) {
        if (const Flood flood = onPadding(static_cast<uint8_t>(part.front())); flood != Flood::None) {
          return {flood, at(), 0};
        }
      }
      if (in_prelude_) {
        if (const Flood flood = lookAtBlock(part); flood != Flood::None) return {flood, at(), 0};
      }
      payload_left_ -= static_cast<uint32_t>(part.size());
      bytes.remove_prefix(part.size());
    }
    if (payload_left_ == 0) header_size_ = 0;
  }
  return {Flood::None, size, 0};
}

// Of the frame whose header lacks only its last byte.
int32_t FrameMeter::streamId(char last) const {
  return static_cast<int32_t>((uint32_t{header_[5]} & 0x7f) << 24 | uint32_t{header_[6]} << 16 |
                              uint32_t{header_[7]} << 8 | static_cast<uint8_t>(last));
}

bool FrameMeter::unknownData(char last, const std::function<bool(int32_t)>& is_open) {
  if (header_[3] != kData || std::exchange(data_checked_, true)) return false;
  return !is_open(streamId(last));
}

// A frame's header is complete.
Flood FrameMeter::onFrame() {
  const uint32_t length = uint32_t{header_[0]} << 16 | uint32_t{header_[1]} << 8 | header_[2];
  const uint8_t type = header_[3];
  const uint8_t flags = header_[4];
  payload_left_ = length;
  switch (type) {
    case kData:
    case kHeaders:
    case kContinuation: return onBlockFrame(type, flags, length);
    case kPriority:
      ++priorities_;
      return of_client_ && priorities_ > settings_.max_inbound_priority_frames_per_stream * (1 + streams_)
                 ? Flood::Priority
                 : Flood::None;
    case kReset: return ++resets_ > streams_ + kSpareResets ? Flood::Reset : Flood::None;
    case kWindowUpdate:
      ++window_updates_;
      return of_client_ && window_updates_ >
                               5 + 2 * (streams_ +
                                        settings_.max_inbound_window_update_frames_per_data_frame_sent * data_sent_)
                 ? Flood::WindowUpdate
                 : Flood::None;
    case kPing: return (flags & kAck) == 0 && !pings_.take(clock_.monotonic()) ? Flood::Ping : Flood::None;
    case kSettingsFrame:
      return (flags & kAck) == 0 && !settings_frames_.take(clock_.monotonic()) ? Flood::Settings : Flood::None;
    default: break;
  }
  if (type <= kContinuation) return Flood::None;  // Others are errors at once.
  if (type == kMetadataFrame && settings_.allow_metadata) {
    return metadata_.take(clock_.monotonic()) ? Flood::None : Flood::Metadata;
  }
  return unknown_.take(clock_.monotonic()) ? Flood::None : Flood::Unknown;
}

// DATA, HEADERS or CONTINUATION.
Flood FrameMeter::onBlockFrame(uint8_t type, uint8_t flags, uint32_t length) {
  const bool ends = type != kContinuation && (flags & kEndStream) != 0;
  // As Envoy: padding is no payload.
  padding_comes_ = type == kData && !ends && length > 0 && (flags & kPadded) != 0;
  if (!padding_comes_) {
    const Flood flood = countEmpty(length == 0 && !ends);
    if (flood != Flood::None) return flood;
  }
  if (type == kData) {
    metadata_.give(kMetadataPerData);
    return Flood::None;
  }
  if (type == kHeaders) {
    ++streams_;
    metadata_.give(kMetadataPerHeaders);
    skip_ = ((flags & kPadded) != 0 ? 1 : 0) + ((flags & kHasPriority) != 0 ? 5 : 0);
    in_prelude_ = true;
    in_update_ = false;
    updates_ = 0;
    continuations_ = 0;
    block_bytes_ = length;
  } else if (tooManyContinuations(length)) {
    return Flood::Continuation;
  }
  return Flood::None;
}

Flood FrameMeter::countEmpty(bool empty) {
  empty_ = empty ? empty_ + 1 : 0;
  const bool flood = of_client_ && empty_ > settings_.max_consecutive_inbound_frames_with_empty_payload;
  return flood ? Flood::EmptyFrames : Flood::None;
}

Flood FrameMeter::onPadding(uint8_t length) {
  padding_comes_ = false;
  return countEmpty(uint32_t{length} + 1 >= payload_left_);
}

bool FrameMeter::tooManyContinuations(uint32_t length) {
  block_bytes_ += length;
  const uint64_t limit = uint64_t{settings_.max_headers_kb} * 1024;
  // A frame is seldom full: twice as many as would be needed.
  return ++continuations_ > kMaxContinuations + settings_.max_headers_kb / 8 || block_bytes_ > 2 * limit + 16384;
}

// The beginning of a header block, where table size updates can stand (RFC 7541 4.2, 6.3).
Flood FrameMeter::lookAtBlock(std::string_view payload) {
  const size_t skipped = std::min<size_t>(skip_, payload.size());
  skip_ -= static_cast<uint32_t>(skipped);
  for (const char c : payload.substr(skipped)) {
    const auto byte = static_cast<uint8_t>(c);
    if (in_update_) {
      in_update_ = (byte & 0x80) != 0;
      continue;
    }
    if ((byte & 0xe0) != 0x20) {
      in_prelude_ = false;
      return Flood::None;
    }
    in_update_ = (byte & 0x1f) == 0x1f;
    if (++updates_ > kMaxTableSizeUpdates) return Flood::TableSizeUpdates;
  }
  return Flood::None;
}

}  // namespace weir::http2
