#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstddef>
#include <cstring>

#include "base/check.h"

namespace weir::net {
namespace {

base::Error badAddress(std::string_view text, std::string_view why) {
  return {base::Code::InvalidArgument, base::Side::Operator, base::Retry::No,
          "'" + std::string(text) + "' " + std::string(why)};
}

const sockaddr_in& v4(const sockaddr_storage& storage) { return reinterpret_cast<const sockaddr_in&>(storage); }
const sockaddr_in6& v6(const sockaddr_storage& storage) { return reinterpret_cast<const sockaddr_in6&>(storage); }
const sockaddr_un& un(const sockaddr_storage& storage) { return reinterpret_cast<const sockaddr_un&>(storage); }

bool inPrefix(uint32_t address, uint32_t network, int bits) { return (address ^ network) >> (32 - bits) == 0; }

}  // namespace

base::Result<Address> Address::parseIp(std::string_view ip, uint16_t port) {
  const std::string text(ip);
  Address address;
  auto& four = reinterpret_cast<sockaddr_in&>(address.storage_);
  if (inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    address.length_ = sizeof four;
    return address;
  }
  auto& six = reinterpret_cast<sockaddr_in6&>(address.storage_);
  if (inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    address.length_ = sizeof six;
    return address;
  }
  return badAddress(ip, "is not an IP address");
}

base::Result<Address> Address::unixSocket(std::string_view path) {
  Address address;
  auto& target = reinterpret_cast<sockaddr_un&>(address.storage_);
  if (path.empty() || path == "@") return badAddress(path, "is not a socket path");
  if (path.size() >= sizeof target.sun_path) return badAddress(path, "is longer than a socket path may be (107 bytes)");
  if (path.find('\0') != std::string_view::npos) return badAddress(path, "holds a NUL");
  target.sun_family = AF_UNIX;
  std::memcpy(target.sun_path, path.data(), path.size());
  // An abstract name is counted, a path ends with NUL.
  const bool abstract = path.front() == '@';
  if (abstract) target.sun_path[0] = '\0';
  address.length_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
  return address;
}

Address Address::verbatim(const sockaddr* given, socklen_t length) {
  Address address;
  if (given == nullptr || length < sizeof(sa_family_t)) return address;
  length = std::min<socklen_t>(length, sizeof address.storage_);
  std::memcpy(&address.storage_, given, length);
  address.length_ = length;
  return address;
}

Address Address::fromSockaddr(const sockaddr* given, socklen_t length) {
  const Address address = verbatim(given, length);
  if (address.family() != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&v6(address.storage_).sin6_addr)) return address;

  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = v6(address.storage_).sin6_port;
  std::memcpy(&four.sin_addr, v6(address.storage_).sin6_addr.s6_addr + 12, 4);
  return verbatim(reinterpret_cast<const sockaddr*>(&four), sizeof four);
}

bool Address::isLoopback() const {
  if (family() == AF_INET) return inPrefix(ntohl(v4(storage_).sin_addr.s_addr), 0x7f000000, 8);
  if (family() == AF_INET6) return IN6_IS_ADDR_LOOPBACK(&v6(storage_).sin6_addr);
  return false;
}

bool Address::isPrivate() const {
  if (isLoopback()) return true;
  if (family() == AF_INET) {
    const uint32_t address = ntohl(v4(storage_).sin_addr.s_addr);
    return inPrefix(address, 0x0a000000, 8) || inPrefix(address, 0xac100000, 12) || inPrefix(address, 0xc0a80000, 16) ||
           inPrefix(address, 0xa9fe0000, 16);
  }
  if (family() == AF_INET6) {
    const uint8_t* bytes = v6(storage_).sin6_addr.s6_addr;
    const bool unique_local = (bytes[0] & 0xfe) == 0xfc;
    return unique_local || IN6_IS_ADDR_LINKLOCAL(&v6(storage_).sin6_addr);
  }
  return false;
}

uint16_t Address::port() const {
  if (family() == AF_INET) return ntohs(v4(storage_).sin_port);
  if (family() == AF_INET6) return ntohs(v6(storage_).sin6_port);
  return 0;
}

Address Address::withPort(uint16_t port) const {
  Address address = *this;
  if (family() == AF_INET) reinterpret_cast<sockaddr_in&>(address.storage_).sin_port = htons(port);
  if (family() == AF_INET6) reinterpret_cast<sockaddr_in6&>(address.storage_).sin6_port = htons(port);
  return address;
}

std::string Address::ip() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) return inet_ntop(AF_INET, &v4(storage_).sin_addr, text, sizeof text);
  if (family() == AF_INET6) return inet_ntop(AF_INET6, &v6(storage_).sin6_addr, text, sizeof text);
  if (family() != AF_UNIX) return {};
  const size_t start = offsetof(sockaddr_un, sun_path);
  if (length_ <= start) return {};  // The unnamed end of a pair.
  const char* path = un(storage_).sun_path;
  if (path[0] != '\0') return {path, strnlen(path, length_ - start)};
  return "@" + std::string(path + 1, length_ - start - 1);
}

std::string Address::toString() const {
  if (family() == AF_INET) return ip() + ":" + std::to_string(port());
  if (family() == AF_INET6) return "[" + ip() + "]:" + std::to_string(port());
  return ip();
}

// Compared by meaning: the kernel may fill fields (flow, padding) that say nothing about where.
bool Address::operator==(const Address& other) const {
  if (family() != other.family() || port() != other.port()) return false;
  if (family() == AF_INET) return v4(storage_).sin_addr.s_addr == v4(other.storage_).sin_addr.s_addr;
  if (family() == AF_INET6) {
    return v6(storage_).sin6_scope_id == v6(other.storage_).sin6_scope_id &&
           IN6_ARE_ADDR_EQUAL(&v6(storage_).sin6_addr, &v6(other.storage_).sin6_addr);
  }
  return ip() == other.ip();
}

}  // namespace weir::net
