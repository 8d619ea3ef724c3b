#include "redis/framer.h"

#include <algorithm>
#include <charconv>

namespace weir::redis {
namespace {

// What stands behind a line's type: digits, with or without "-" in front.
std::optional<int64_t> number(std::string_view line) {
  const std::string_view digits = line.substr(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace

Framer::State Framer::read(base::BufferChain& bytes) {
  while (!bytes.empty() && !malformed_ && !whole_) {
    if (body_left_ > 0) {
      takeBody(bytes);
    } else if (takeLine(bytes)) {
      malformed_ = malformed_ || !understandLine();
      line_kept_ = line_size_ = 0;
      last_ = 0;
    }
    if (value_.size() > kMaxValue) malformed_ = true;
  }
  if (malformed_) return State::Malformed;
  return whole_ ? State::Whole : State::Incomplete;
}

base::BufferChain Framer::take() {
  whole_ = false;
  push_ = false;
  return std::move(value_);
}

void Framer::takeBody(base::BufferChain& bytes) {
  const size_t count = std::min<uint64_t>(body_left_, bytes.size());
  value_.appendFrom(bytes, count);
  body_left_ -= count;
}

bool Framer::takeLine(base::BufferChain& bytes) {
  const std::string_view piece = bytes.front();
  const size_t newline = piece.find('\n');
  const size_t count = newline == std::string_view::npos ? piece.size() : newline + 1;
  const std::string_view part = piece.substr(0, newline == std::string_view::npos ? count : newline);
  const size_t kept = std::min(part.size(), sizeof(line_) - line_kept_);
  std::copy_n(part.data(), kept, line_ + line_kept_);
  // A CR ends a line together with its LF, and stands nowhere else.
  const size_t stray = part.find('\r');
  if (last_ == '\r' && !part.empty()) malformed_ = true;
  if (stray != std::string_view::npos && stray + 1 != part.size()) malformed_ = true;
  line_kept_ += kept;
  line_size_ += part.size();
  if (!part.empty()) last_ = part.back();
  value_.appendFrom(bytes, count);
  if (newline == std::string_view::npos) return false;
  if (last_ != '\r') malformed_ = true;
  return true;
}

bool Framer::understandLine() {
  line_kept_ = std::min(line_kept_, line_size_ - 1);  // Without the CR.
  if (blob_ends_) {
    blob_ends_ = false;
    if (line_kept_ != 0) return false;
    completeValue();
    return true;
  }
  if (line_kept_ == 0) return false;
  const bool cut = line_size_ - 1 > sizeof(line_);
  const auto count = cut ? std::nullopt : number(line());
  switch (line_[0]) {
    case '+':
    case '-':
    case ':':
    case '_':
    case '#':
    case ',':
    case '(': completeValue(); return true;
    case '$': return beginBlob(count, true);
    case '=':
    case '!': return beginBlob(count, false);
    case '*': return beginGroup(count, 1, true, false);
    case '>': push_ = push_ || open_.empty(); return beginGroup(count, 1, false, false);
    case '~': return beginGroup(count, 1, false, false);
    case '%': return beginGroup(count, 2, false, false);
    case '|': return beginGroup(count, 2, false, true);
    default: return false;
  }
}

bool Framer::beginBlob(std::optional<int64_t> size, bool may_be_null) {
  if (size == -1 && may_be_null) {
    completeValue();
    return true;
  }
  if (!size || *size < 0 || *size > static_cast<int64_t>(kMaxValue)) return false;
  body_left_ = static_cast<uint64_t>(*size);
  blob_ends_ = true;
  return true;
}

bool Framer::beginGroup(std::optional<int64_t> count, uint64_t values_each, bool may_be_null, bool attribute) {
  if (count == -1 && may_be_null) {
    completeValue();
    return true;
  }
  if (!count || *count < 0 || *count > static_cast<int64_t>(kMaxValue)) return false;
  if (*count == 0) {
    if (!attribute) completeValue();
    return true;
  }
  if (open_.size() == kMaxNesting) return false;
  open_.push_back({static_cast<uint64_t>(*count) * values_each, attribute});
  return true;
}

void Framer::completeValue() {
  while (!open_.empty()) {
    if (--open_.back().left > 0) return;
    const bool attribute = open_.back().attribute;
    open_.pop_back();
    if (attribute) return;
  }
  whole_ = true;
}

bool isOneCommand(std::string_view bytes) {
  if (bytes.empty()) return false;
  if (bytes.front() != '*') {
    const bool blank = bytes.find_first_not_of(" \t\r\n") == std::string_view::npos;
    return !blank && bytes.find('\n') == bytes.size() - 1;
  }
  if (bytes.starts_with("*0") || bytes.starts_with("*-")) return false;  // These are not answered.
  base::BufferChain chain(bytes);
  Framer framer;
  return framer.read(chain) == Framer::State::Whole && chain.empty();
}

}  // namespace weir::redis
