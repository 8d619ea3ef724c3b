// nghttp2's memory: what it asks for with every stream (the stream, its frames, their fields) is kept for the next one
// by the thread (base/recycled.h).
#pragma once

#include <nghttp2/nghttp2.h>

namespace weir::http2 {

// For sessions that live on one thread each.
nghttp2_mem recycledMemory();

}  // namespace weir::http2
