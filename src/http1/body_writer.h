// The body of a message that is sent, in the form that its head announced. RFC 9112 6.
#pragma once

#include <cstdint>

#include "base/buffer.h"
#include "http/header_map.h"

namespace weir::http1 {

class BodyWriter {
 public:
  void expectNone() { form_ = Form::None; }
  void expectLength(uint64_t length);
  void expectChunks() { form_ = Form::Chunked; }
  void expectUntilClose() { form_ = Form::UntilClose; }

  // Puts bytes, framed, into out; bytes is empty afterwards. What exceeds the announced length is dropped.
  void write(base::BufferChain& bytes, bool end, base::BufferChain& out);
  // Ends a chunked body with trailers; any other just ends.
  void writeTrailers(const http::HeaderMap& trailers, base::BufferChain& out);
  // Whether the announced length has not been reached: after the end, the message is broken.
  bool isShort() const { return form_ == Form::Length && remaining_ > 0; }

 private:
  enum class Form : uint8_t { None, Length, Chunked, UntilClose };

  Form form_ = Form::None;
  uint64_t remaining_ = 0;
};

}  // namespace weir::http1
