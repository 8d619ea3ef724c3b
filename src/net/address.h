// Where a socket is: an IPv4 or IPv6 address with port, or a Unix socket path. A plain value.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace weir::net {

class Address {
 public:
  Address() = default;                                                       // Nowhere; family() is AF_UNSPEC.
  static base::Result<Address> parseIp(std::string_view ip, uint16_t port);  // "127.0.0.1", "::1"; no names.
  static base::Result<Address> unixSocket(std::string_view path);            // '@' first: abstract.
  // As it stands: an IPv4 address within one of IPv6 (RFC 4291 2.5.5.2) stays one of IPv6.
  static Address verbatim(const sockaddr* address, socklen_t length);
  // A socket's: an IPv4 peer of an IPv6 socket is told as what it is.
  static Address fromSockaddr(const sockaddr* address, socklen_t length);

  int family() const { return storage_.ss_family; }
  bool isIp() const { return family() == AF_INET || family() == AF_INET6; }
  bool isLoopback() const;
  // RFC 1918 and RFC 4193 ranges, link-local and loopback: what Envoy calls internal.
  bool isPrivate() const;
  uint16_t port() const;  // 0 for a Unix socket.
  Address withPort(uint16_t port) const;
  std::string ip() const;        // Without port; the path for a Unix socket.
  std::string toString() const;  // "127.0.0.1:80", "[::1]:80", "/run/x.sock"

  const sockaddr* sockaddrPtr() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t length() const { return length_; }
  bool operator==(const Address& other) const;

 private:
  sockaddr_storage storage_{};
  socklen_t length_ = 0;
};

}  // namespace weir::net
