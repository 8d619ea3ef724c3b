#include "http1/chunked_decoder.h"

#include <cstring>

#include "http/characters.h"
#include "http1/fields.h"

namespace weir::http1 {
namespace {

// 15 digits stay far below 2^63, and nobody sends an exbibyte.
constexpr int kMaxSizeDigits = 15;

}  // namespace

ChunkedDecoder::ChunkedDecoder(const Limits& limits)
    : limits_(limits), trailer_reader_(HeadReader::Kind::Trailers, headLimit(limits)) {}

void ChunkedDecoder::reset() {
  at_ = At::SizeFirst;
  remaining_ = 0;
  digits_ = 0;
  extension_bytes_ = 0;
  trailer_reader_.reset();
  trailers_.clear();
  fault_ = kCodecError;
}

ChunkedDecoder::State ChunkedDecoder::decode(base::BufferChain& in, base::BufferChain& body) {
  while (!in.empty()) {
    if (at_ == At::Trailers) return decodeTrailers(in);
    if (at_ == At::Data) {
      const uint64_t before = in.size();
      body.appendFrom(in, remaining_);
      remaining_ -= before - in.size();
      if (remaining_ == 0) at_ = At::DataReturn;
      continue;
    }
    const std::string_view piece = in.front();
    size_t used = 0;
    while (used < piece.size() && at_ != At::Data && at_ != At::Trailers) {
      if (!step(piece[used++])) return State::Fault;
    }
    in.drain(used);
  }
  return State::More;
}

bool ChunkedDecoder::step(char c) {
  switch (at_) {
    case At::SizeFirst:
    case At::Size: return onSize(c);
    case At::Extension: return onExtension(c);
    case At::SizeLineFeed:
      if (c != '\n') return false;
      at_ = remaining_ == 0 ? At::Trailers : At::Data;
      return true;
    case At::DataReturn: at_ = At::DataLineFeed; return c == '\r';
    case At::DataLineFeed: at_ = At::SizeFirst; return c == '\n';
    case At::Data:
    case At::Trailers: break;
  }
  return false;
}

// chunk-size = 1*HEXDIG, directly followed by an extension or CR: no sign, no prefix, no blanks.
bool ChunkedDecoder::onSize(char c) {
  const int digit = http::hexValue(c);
  if (digit >= 0) {
    if (at_ == At::SizeFirst) {
      remaining_ = 0;
      digits_ = 0;
      at_ = At::Size;
    }
    remaining_ = remaining_ * 16 + static_cast<uint64_t>(digit);
    return ++digits_ <= kMaxSizeDigits;
  }
  if (at_ == At::SizeFirst) return false;
  if (c == '\r') {
    at_ = At::SizeLineFeed;
    return true;
  }
  at_ = At::Extension;
  return c == ';';
}

// RFC 9112 7.1.1: unknown extensions are ignored, and their total length may be limited.
bool ChunkedDecoder::onExtension(char c) {
  if (c == '\r') {
    at_ = At::SizeLineFeed;
    return true;
  }
  return !http::isControl(c) && ++extension_bytes_ <= kMaxChunkExtensionBytes;
}

ChunkedDecoder::State ChunkedDecoder::decodeTrailers(base::BufferChain& in) {
  switch (trailer_reader_.read(in)) {
    case HeadReader::State::Incomplete: return State::More;
    case HeadReader::State::Fault: fault_ = trailer_reader_.fault(); return State::Fault;
    case HeadReader::State::Complete: break;
  }
  const std::string_view lines = trailer_reader_.head().substr(0, trailer_reader_.head().size() - 2);
  if (!lines.empty()) {
    char* const stored = trailers_.allocate(lines.size());
    std::memcpy(stored, lines.data(), lines.size());
    if (const auto fault = parseFields({stored, lines.size()}, FieldsOf::Trailers, limits_, trailers_)) {
      fault_ = *fault;
      return State::Fault;
    }
  }
  trailer_reader_.release(in);
  return State::Done;
}

}  // namespace weir::http1
