// Finds where a value of Redis' protocol ends, and hands on its bytes as they came: RESP2, and what RESP3 adds to it
// (maps, sets, pushes, attributes, big numbers and the like). What a value means is its reader's.
//
// A value, client side as server side:
//
//   +text  -text  :1  _  #t  ,1.5  (123        one line
//   $5 hello   =8 txt:text   !5 ERR x          a line with the length, so many bytes, CRLF; $-1 is null
//   *2 ...  ~2 ...  >2 ...                     so many values; *-1 is null
//   %2 ...  |2 ...                             so many pairs of them; | tells about the value that follows
//
// Lines end in CRLF. Lengths that are only known later ("$?", "*?") are refused: no server sends them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/buffer.h"

namespace weir::redis {

class Framer {
 public:
  // Of one value with everything in it. Redis itself allows 512 MiB.
  static constexpr size_t kMaxValue = size_t{4} << 20;
  // Values within values.
  static constexpr size_t kMaxNesting = 64;

  enum class State : uint8_t {
    Incomplete,  // All bytes were taken, and there must be more.
    Whole,       // take() has the value; what follows it is still in the buffer.
    Malformed,   // Or over a limit: nothing more can be read.
  };
  // Takes bytes that belong to the value. Not to be called again before take(), nor after Malformed.
  State read(base::BufferChain& bytes);
  // A value that is Whole; the next one can be read then.
  base::BufferChain take();
  // Of that value: a push (RESP3), which answers nothing.
  bool isPush() const { return push_; }
  // Between two values.
  bool idle() const { return value_.empty(); }

 private:
  struct Open {
    uint64_t left;           // How many values it still wants.
    bool attribute = false;  // Its end completes no value.
  };

  void takeBody(base::BufferChain& bytes);
  // True: the line is complete.
  bool takeLine(base::BufferChain& bytes);
  bool understandLine();
  bool beginBlob(std::optional<int64_t> size, bool may_be_null);
  bool beginGroup(std::optional<int64_t> count, uint64_t values_each, bool may_be_null, bool attribute);
  void completeValue();
  std::string_view line() const { return {line_, line_kept_}; }

  base::BufferChain value_;
  std::vector<Open> open_;
  uint64_t body_left_ = 0;  // Of a blob.
  bool blob_ends_ = false;  // The CRLF after a blob is due.
  // The line that is being read: as much of it as says what it is, and its last byte.
  char line_[24] = {};
  size_t line_kept_ = 0;
  size_t line_size_ = 0;
  char last_ = 0;
  bool whole_ = false;
  bool malformed_ = false;
  bool push_ = false;
};

// Whether these bytes are one command, to which a server gives one answer: an array of at least one value, or one line
// that is not blank (Redis' inline commands).
bool isOneCommand(std::string_view bytes);

}  // namespace weir::redis
