#include "filter/stream_info.h"

namespace weir::filter {

WireBytes wireBytes(const http::Stream& stream) {
  return {stream.bytesSent(),           stream.bytesReceived(),        stream.headerBytesSent(),
          stream.headerBytesReceived(), stream.plainHeaderBytesSent(), stream.plainHeaderBytesReceived()};
}

bool StreamInfo::keepFilterState(std::string name, std::string_view value) {
  constexpr size_t kEntryBytes = 128;
  const auto found = filter_state.find(name);
  const size_t before = found == filter_state.end() ? 0 : kEntryBytes + name.size() + found->second.size();
  const size_t after = kEntryBytes + name.size() + value.size();
  if (after > before && filter_state_bytes - before + after > kMaxFilterState) return false;
  filter_state_bytes = filter_state_bytes - before + after;
  filter_state[std::move(name)] = value;
  return true;
}

}  // namespace weir::filter
