// Any bytes: the parser must neither crash nor read outside of them; what it reads, written again, reads the same.
#include <cstdlib>

#include "net/proxy_protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir::net;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ProxyHeader header;
  const ProxyParse parsed = parseProxyHeader(bytes, header);
  if (parsed.state != ProxyState::Complete) return 0;
  if (parsed.length > size) std::abort();
  if (!header.has_addresses) return 0;
  const auto written = proxyHeaderV2(header.source, header.destination, header.tlvs);
  if (written.left_out != 0) std::abort();
  ProxyHeader again;
  const ProxyParse second = parseProxyHeader(written.bytes, again);
  if (second.state != ProxyState::Complete || second.length != written.bytes.size()) std::abort();
  if (!(again.source == header.source) || !(again.destination == header.destination) || again.tlvs != header.tlvs) {
    std::abort();
  }
  return 0;
}
