#include "http1/head_reader.h"

#include <algorithm>
#include <cstring>

#include "http1/codec.h"

namespace weir::http1 {

HeadReader::State HeadReader::read(base::BufferChain& bytes) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.front();
    const size_t kept_before = kept_.size();
    if (kept_before > 0) kept_.append(piece);
    const State state = scan(kept_before > 0 ? std::string_view(kept_) : piece);
    if (state == State::Fault) return state;
    if (state == State::Complete) {
      head_in_buffer_ = scanned_ - kept_before;
      return state;
    }
    if (kept_before == 0) {
      kept_.assign(piece);
      seen_ = kept_;
    }
    bytes.drain(piece.size());
  }
  return State::Incomplete;
}

// Precondition: all begins with what was scanned before.
HeadReader::State HeadReader::scan(std::string_view all) {
  seen_ = all;
  size_t end = std::min(all.size(), begin_ + limit_);
  while (scanned_ < end) {
    const void* found = std::memchr(all.data() + scanned_, '\n', end - scanned_);
    if (found == nullptr) {
      scanned_ = end;
      break;
    }
    const auto feed = static_cast<size_t>(static_cast<const char*>(found) - all.data());
    if (feed == line_begin_ || all[feed - 1] != '\r') return fail(kCodecError);
    const bool empty_line = feed == line_begin_ + 1;
    line_begin_ = scanned_ = feed + 1;
    if (empty_line && (first_line_end_ != 0 || kind_ == Kind::Trailers)) {
      seen_ = all.substr(0, scanned_);
      return State::Complete;
    }
    if (!empty_line) {
      if (first_line_end_ == 0)
        first_line_end_ = feed - 1;
      else
        ++field_lines_;
      continue;
    }
    if (kind_ == Kind::Response || ++empty_lines_ > kMaxEmptyLines) return fail(kCodecError);
    begin_ = scanned_;
    end = std::min(all.size(), begin_ + limit_);
  }
  return all.size() - begin_ >= limit_ ? fail(kHeadersTooLarge) : State::Incomplete;
}

HeadReader::State HeadReader::fail(const Fault& fault) {
  fault_ = fault;
  return State::Fault;
}

std::optional<std::string_view> HeadReader::firstLine() const {
  if (first_line_end_ == 0) return std::nullopt;
  return seen_.substr(begin_, first_line_end_ - begin_);
}

void HeadReader::release(base::BufferChain& bytes) {
  bytes.drain(head_in_buffer_);
  reset();
}

void HeadReader::reset() {
  kept_.clear();
  // An idle connection holds nothing; a small string costs nothing to keep.
  if (kept_.capacity() > 64) kept_.shrink_to_fit();
  seen_ = {};
  begin_ = line_begin_ = scanned_ = first_line_end_ = field_lines_ = head_in_buffer_ = 0;
  empty_lines_ = 0;
}

uint64_t HeadReader::fieldBytes() const {
  constexpr size_t kLineEnd = 2;
  return scanned_ - (first_line_end_ + kLineEnd) - kLineEnd - field_lines_;
}

}  // namespace weir::http1
