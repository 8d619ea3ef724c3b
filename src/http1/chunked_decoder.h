// The chunked transfer coding, incrementally. RFC 9112 7.1.
#pragma once

#include <cstdint>

#include "base/buffer.h"
#include "http/header_map.h"
#include "http1/codec.h"
#include "http1/framing.h"
#include "http1/head_reader.h"

namespace weir::http1 {

class ChunkedDecoder {
 public:
  enum class State : uint8_t { More, Done, Fault };

  explicit ChunkedDecoder(const Limits& limits);
  void reset();

  // Moves the data of chunks from in to body. More: in is empty. Done: what follows the body is left in in, and
  // trailers() may be used. The outcome does not depend on how the bytes were split.
  State decode(base::BufferChain& in, base::BufferChain& body);
  http::HeaderMap& trailers() { return trailers_; }
  const Fault& fault() const { return fault_; }

 private:
  enum class At : uint8_t { SizeFirst, Size, Extension, SizeLineFeed, Data, DataReturn, DataLineFeed, Trailers };

  bool step(char c);
  bool onSize(char c);
  bool onExtension(char c);
  State decodeTrailers(base::BufferChain& in);

  const Limits limits_;
  At at_ = At::SizeFirst;
  uint64_t remaining_ = 0;  // Of the chunk's size while it is read, then of its data.
  int digits_ = 0;
  size_t extension_bytes_ = 0;
  HeadReader trailer_reader_;
  http::HeaderMap trailers_;
  Fault fault_ = kCodecError;
};

}  // namespace weir::http1
