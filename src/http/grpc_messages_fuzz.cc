// A body gives the same messages whole and byte by byte, and ends at the same fault.
#include <cstdlib>

#include "http/grpc_messages.h"

namespace {

std::string read(std::string_view bytes, size_t piece) {
  weir::http::GrpcMessages messages(4096);
  std::string out;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    weir::base::BufferChain part(bytes.substr(0, piece));
    messages.add(part);
    while (const auto message = messages.next()) out += (message->compressed ? "c" : "p") + message->bytes.toString();
  }
  return out + std::to_string(static_cast<int>(messages.fault()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 16 * 1024) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (read(bytes, size) != read(bytes, 1)) std::abort();
  return 0;
}
