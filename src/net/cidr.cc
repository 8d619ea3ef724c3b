#include "net/cidr.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace weir::net {
namespace {

// An address's bytes in network order; their number is 4, 16, or 0 for what is no IP.
size_t bytesOf(const Address& address, uint8_t (&out)[16]) {
  if (address.family() == AF_INET) {
    std::memcpy(out, &reinterpret_cast<const sockaddr_in*>(address.sockaddrPtr())->sin_addr, 4);
    return 4;
  }
  if (address.family() != AF_INET6) return 0;
  std::memcpy(out, &reinterpret_cast<const sockaddr_in6*>(address.sockaddrPtr())->sin6_addr, 16);
  return 16;
}

void clearBitsFrom(uint8_t (&bytes)[16], size_t length) {
  for (size_t i = 0; i < sizeof bytes; ++i) {
    const size_t kept = std::clamp<size_t>(length > 8 * i ? length - 8 * i : 0, 0, 8);
    bytes[i] &= static_cast<uint8_t>(0xff00u >> kept);
  }
}

}  // namespace

base::Result<Cidr> Cidr::parse(std::string_view ip, uint32_t length) {
  const auto address = Address::parseIp(ip, 0);
  if (!address.ok()) return address.error();
  Cidr cidr;
  cidr.family_ = address->family();
  const size_t size = bytesOf(*address, cidr.bytes_);
  cidr.length_ = static_cast<uint8_t>(std::min<size_t>(length, 8 * size));
  clearBitsFrom(cidr.bytes_, cidr.length_);
  return cidr;
}

bool Cidr::contains(const Address& address) const {
  if (address.family() != family_) return false;
  uint8_t bytes[16] = {};
  bytesOf(address, bytes);
  clearBitsFrom(bytes, length_);
  return std::memcmp(bytes, bytes_, sizeof bytes) == 0;
}

std::string Cidr::toString() const {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(family_, bytes_, text, sizeof text);
  return fmt::format("{}/{}", text, length_);
}

}  // namespace weir::net
