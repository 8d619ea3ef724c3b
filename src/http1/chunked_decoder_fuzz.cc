// The chunked decoder fed with anything; and what it decodes, encoded again, is decoded to the same.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "http1/body_writer.h"
#include "http1/chunked_decoder.h"

namespace {

using weir::base::BufferChain;
using weir::http1::ChunkedDecoder;

struct Decoded {
  ChunkedDecoder::State state = ChunkedDecoder::State::More;
  std::string body;
  size_t rest = 0;
};

Decoded decode(std::string_view input, size_t step) {
  ChunkedDecoder decoder({1, 5});
  Decoded out;
  BufferChain in;
  BufferChain body;
  while (!input.empty() && out.state == ChunkedDecoder::State::More) {
    in.append(input.substr(0, step));
    input.remove_prefix(std::min(step, input.size()));
    out.state = decoder.decode(in, body);
    CHECK(out.state != ChunkedDecoder::State::More || in.empty());
  }
  out.body = body.toString();
  out.rest = in.size() + input.size();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Decoded whole = decode(input, size);
  const Decoded bytewise = decode(input, 1);
  CHECK(whole.state == bytewise.state && whole.body == bytewise.body);
  if (whole.state != ChunkedDecoder::State::Done) return 0;
  CHECK(whole.rest == bytewise.rest);

  weir::http1::BodyWriter writer;
  writer.expectChunks();
  BufferChain body(whole.body);
  BufferChain encoded;
  writer.write(body, true, encoded);
  const Decoded again = decode(encoded.toString(), 3);
  CHECK(again.state == ChunkedDecoder::State::Done && again.body == whole.body && again.rest == 0);
  return 0;
}
