#include "filter/stream_info.h"

namespace weir::filter {

WireBytes wireBytes(const http::Stream& stream) {
  return {stream.bytesSent(),           stream.bytesReceived(),        stream.headerBytesSent(),
          stream.headerBytesReceived(), stream.plainHeaderBytesSent(), stream.plainHeaderBytesReceived()};
}

}  // namespace weir::filter
