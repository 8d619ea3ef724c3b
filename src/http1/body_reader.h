// The body of a received message, whichever way its end is known. RFC 9112 6.3.
#pragma once

#include <cstdint>

#include "http1/chunked_decoder.h"

namespace weir::http1 {

class BodyReader {
 public:
  using State = ChunkedDecoder::State;

  explicit BodyReader(const Limits& limits) : chunked_(limits) {}

  void expectLength(uint64_t length);
  void expectChunks();
  void expectUntilClose() { form_ = Form::UntilClose; }

  // As ChunkedDecoder::decode(). A body until close is never Done.
  State read(base::BufferChain& in, base::BufferChain& body);
  bool endsWithConnection() const { return form_ == Form::UntilClose; }
  http::HeaderMap& trailers() { return chunked_.trailers(); }
  const Fault& fault() const { return chunked_.fault(); }

 private:
  enum class Form : uint8_t { Length, Chunked, UntilClose };

  Form form_ = Form::Length;
  uint64_t remaining_ = 0;
  ChunkedDecoder chunked_;
};

}  // namespace weir::http1
