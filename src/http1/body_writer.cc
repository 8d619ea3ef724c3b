#include "http1/body_writer.h"

#include <charconv>
#include <string_view>

#include "http1/head_writer.h"

namespace weir::http1 {
namespace {

constexpr std::string_view kLastChunk = "0\r\n";
constexpr std::string_view kLineEnd = "\r\n";

void writeChunk(base::BufferChain& bytes, base::BufferChain& out) {
  char line[18];
  char* end = std::to_chars(line, line + 16, bytes.size(), 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append(std::string_view(line, static_cast<size_t>(end - line)));
  out.append(bytes);
  out.append(kLineEnd);
}

}  // namespace

void BodyWriter::expectLength(uint64_t length) {
  form_ = Form::Length;
  remaining_ = length;
}

void BodyWriter::write(base::BufferChain& bytes, bool end, base::BufferChain& out) {
  switch (form_) {
    case Form::None: break;
    case Form::UntilClose: out.append(bytes); break;
    case Form::Length: {
      const uint64_t before = bytes.size();
      out.appendFrom(bytes, remaining_);
      remaining_ -= before - bytes.size();
      break;
    }
    case Form::Chunked:
      if (!bytes.empty()) writeChunk(bytes, out);  // An empty chunk would end the body.
      if (end) out.append("0\r\n\r\n");
      break;
  }
  bytes.clear();
}

void BodyWriter::writeTrailers(const http::HeaderMap& trailers, base::BufferChain& out) {
  if (form_ != Form::Chunked) return;
  HeadWriter writer(out, trailers.bytes() + trailers.size() * 4 + 5);
  writer.put(kLastChunk);
  writer.putFields(trailers, FieldsIn::Trailers);
  writer.put(kLineEnd);
}

}  // namespace weir::http1
