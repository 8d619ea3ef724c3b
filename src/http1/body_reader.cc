#include "http1/body_reader.h"

namespace weir::http1 {

void BodyReader::expectLength(uint64_t length) {
  form_ = Form::Length;
  remaining_ = length;
}

void BodyReader::expectChunks() {
  form_ = Form::Chunked;
  chunked_.reset();
}

BodyReader::State BodyReader::read(base::BufferChain& in, base::BufferChain& body) {
  switch (form_) {
    case Form::Chunked: return chunked_.decode(in, body);
    case Form::UntilClose: body.append(in); return State::More;
    case Form::Length: break;
  }
  const uint64_t before = in.size();
  body.appendFrom(in, remaining_);
  remaining_ -= before - in.size();
  return remaining_ == 0 ? State::Done : State::More;
}

}  // namespace weir::http1
