#include "filter/stream_info.h"

namespace weir::filter {

WireBytes wireBytes(const http::Stream& stream) {
  return {stream.bytesSent(),           stream.bytesReceived(),        stream.headerBytesSent(),
          stream.headerBytesReceived(), stream.plainHeaderBytesSent(), stream.plainHeaderBytesReceived()};
}

bool StreamInfo::keepFilterState(std::string name, std::string_view value) {
  const auto found = filter_state.find(name);
  const size_t before = found == filter_state.end() ? 0 : base::EntryBudget::costOf(name, found->second);
  if (!filter_state_budget.replace(before, base::EntryBudget::costOf(name, value), kMaxFilterState)) return false;
  filter_state[std::move(name)] = value;
  return true;
}

}  // namespace weir::filter
