// How many of the frames that were put on a wire have not left it: an upper bound, in constant memory.
//
// Offsets count the bytes put on the wire since its beginning. Frames are kept in two heaps, an older and a newer one;
// the older is forgotten when the bytes up to its last frame have gone.
#pragma once

#include <cstdint>

namespace weir::http2 {

class FrameBacklog {
 public:
  void add() { ++newer_; }
  // gone: the bytes that have left; put: those put on the wire.
  uint64_t outstanding(uint64_t gone, uint64_t put) {
    if (gone >= boundary_) {
      older_ = gone >= put ? 0 : newer_;
      newer_ = 0;
      boundary_ = put;
    }
    return older_ + newer_;
  }

 private:
  uint64_t older_ = 0;
  uint64_t newer_ = 0;
  uint64_t boundary_ = 0;
};

}  // namespace weir::http2
