// The PROXY protocol, versions 1 and 2: how a proxy tells the next one who its client was. Bytes to values and back.
//
// Where the specification says "must", the parser is strict: a line of version 1 has single spaces, canonical numbers,
// and at most 107 bytes; version 2's lengths fit exactly, down to the last TLV.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"

namespace weir::net {

struct ProxyTlv {
  uint8_t type = 0;
  std::string value;
  bool operator==(const ProxyTlv& other) const = default;
};

struct ProxyHeader {
  uint8_t version = 0;
  // False: "UNKNOWN" or LOCAL, the connection speaks for itself.
  bool has_addresses = false;
  Address source;
  Address destination;
  std::vector<ProxyTlv> tlvs;  // Version 2 only.
};

enum class ProxyState : uint8_t {
  NeedMore,  // So far it may become a header.
  None,      // The first bytes are no PROXY protocol; no byte of it was seen as such.
  Broken,    // It began as one and is none; version says as which one.
  Complete,
};

struct ProxyParse {
  ProxyState state = ProxyState::NeedMore;
  uint8_t version = 0;  // 0 as long as it is not known.
  size_t length = 0;    // Complete: of the header. NeedMore: how many bytes are needed at least.
  const char* fault = "";
};

inline constexpr size_t kMostProxyV1Bytes = 107;
inline constexpr size_t kProxyV2FixedBytes = 16;
inline constexpr size_t kMostProxyBytes = kProxyV2FixedBytes + 65535;

// bytes: all that was received, from the first byte on. header is only filled when Complete. Nothing is kept.
ProxyParse parseProxyHeader(std::string_view bytes, ProxyHeader& header);

// Version 1 for two IP addresses of one family; "UNKNOWN" for others.
std::string proxyHeaderV1(const Address& source, const Address& destination);
// Version 2 over TCP; LOCAL, without TLVs, if the addresses are of different families, or of none. A TLV that would
// make the header longer than its length can say is left out.
struct ProxyV2 {
  std::string bytes;
  size_t left_out = 0;  // TLVs for which there was no room.
};
ProxyV2 proxyHeaderV2(const Address& source, const Address& destination, const std::vector<ProxyTlv>& tlvs);

}  // namespace weir::net
