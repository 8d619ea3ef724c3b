// Collects one message head (or trailer section) from the bytes that come in, however they are split.
//
// A head that lies together in the buffer is handed out as it lies; only one that is still incomplete is copied aside.
// Every byte is looked at once. A line feed without a carriage return before it is a fault at once, so that the end of
// a head cannot be read differently here and elsewhere (RFC 9112 2.2 allows to refuse it).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "http1/framing.h"

namespace weir::http1 {

class HeadReader {
 public:
  enum class State : uint8_t { Incomplete, Complete, Fault };
  enum class Kind : uint8_t {
    Request,   // A few empty lines may come first (RFC 9112 2.2).
    Response,  // None may.
    Trailers,  // May be empty: then an empty line is all there is.
  };

  // limit: the most bytes that a head may have, line ends included.
  HeadReader(Kind kind, size_t limit) : kind_(kind), limit_(limit) {}

  // Looks at bytes. Incomplete: all of them were taken. Complete: head() ends with its empty line, and is valid until
  // release(), which must be called before bytes is used again. The outcome does not depend on how bytes were split.
  State read(base::BufferChain& bytes);
  // What there is of the head, without the empty lines before it.
  std::string_view head() const { return seen_.substr(begin_); }
  // The first line without its end, as soon as it is there; also when a later line is at fault.
  std::optional<std::string_view> firstLine() const;
  const Fault& fault() const { return fault_; }
  // Of a complete head (not of trailers): the bytes of its field lines, counted without the last byte of each, as
  // Envoy's parser counts them.
  uint64_t fieldBytes() const;
  // Takes the complete head from bytes and makes ready for the next one.
  void release(base::BufferChain& bytes);
  void reset();

 private:
  State scan(std::string_view all);
  State fail(const Fault& fault);

  const Kind kind_;
  const size_t limit_;
  std::string kept_;           // The bytes of a head that did not come in one piece.
  std::string_view seen_;      // kept_, or the front of the buffer.
  size_t begin_ = 0;           // Behind the empty lines.
  size_t line_begin_ = 0;      // Of the line being looked at.
  size_t scanned_ = 0;         // Looked at so far.
  size_t first_line_end_ = 0;  // Of its CR; 0 as long as it has not come.
  size_t field_lines_ = 0;     // Lines behind the first that are not empty.
  size_t head_in_buffer_ = 0;  // How much of a complete head still lies in the buffer.
  int empty_lines_ = 0;
  Fault fault_;
};

}  // namespace weir::http1
