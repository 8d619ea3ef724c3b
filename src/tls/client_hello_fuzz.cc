// The client hello reader: whatever comes, it ends, keeps no more than came, and says of a prefix nothing that the
// whole takes back.
#include <cstdlib>

#include "tls/client_hello.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  weir::tls::ClientHello hello;
  const auto whole = weir::tls::readClientHello(bytes, hello);
  if (hello.server_name.size() > size || hello.ciphers.size() * 2 > size) abort();
  for (size_t length = 0; length < size; length += 1 + length / 4) {
    weir::tls::ClientHello part;
    const auto outcome = weir::tls::readClientHello(bytes.substr(0, length), part);
    if (outcome != weir::tls::HelloOutcome::NeedMore && outcome != whole) abort();
  }
  weir::tls::readServerName(bytes);
  weir::tls::readNumberList(bytes);
  return 0;
}
