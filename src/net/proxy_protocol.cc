#include "net/proxy_protocol.h"

#include <fmt/core.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace weir::net {
namespace {

// https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
constexpr std::string_view kV1Start = "PROXY ";                   // 2.1
constexpr std::string_view kV2Start("\r\n\r\n\0\r\nQUIT\n", 12);  // 2.2
constexpr uint8_t kVersion2 = 2;
constexpr uint8_t kLocal = 0;
constexpr uint8_t kProxy = 1;
constexpr uint8_t kInet = 1;
constexpr uint8_t kInet6 = 2;
constexpr uint8_t kStream = 1;
constexpr uint8_t kDatagram = 2;

ProxyParse broken(uint8_t version, const char* fault) { return {ProxyState::Broken, version, 0, fault}; }

bool startsLike(std::string_view bytes, std::string_view start) {
  return bytes.substr(0, start.size()) == start.substr(0, bytes.size());
}

// --- Version 1 ---

// 2.1: decimal, no sign, no leading zero.
std::optional<uint16_t> readPort(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  uint32_t value = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + static_cast<uint32_t>(digit - '0');
  }
  return value > 65535 ? std::nullopt : std::optional(static_cast<uint16_t>(value));
}

// A source must be one that could have connected.
bool isUnicast(const Address& address) {
  if (address.family() == AF_INET) {
    const uint32_t ip = ntohl(reinterpret_cast<const sockaddr_in*>(address.sockaddrPtr())->sin_addr.s_addr);
    return ip != INADDR_ANY && ip != INADDR_BROADCAST && !IN_MULTICAST(ip);
  }
  const in6_addr& ip = reinterpret_cast<const sockaddr_in6*>(address.sockaddrPtr())->sin6_addr;
  return !IN6_IS_ADDR_UNSPECIFIED(&ip) && !IN6_IS_ADDR_MULTICAST(&ip);
}

// The address of the family that the line names; a scope ("%eth0") is no part of one.
std::optional<Address> readAddress(std::string_view ip, std::string_view port, int family) {
  const std::optional<uint16_t> number = readPort(port);
  if (!number || ip.find('%') != ip.npos) return std::nullopt;
  const auto address = Address::parseIp(ip, *number);
  if (!address.ok() || address->family() != family) return std::nullopt;
  return *address;
}

ProxyParse parseV1(std::string_view bytes, ProxyHeader& header) {
  const size_t end = bytes.substr(0, kMostProxyV1Bytes).find("\r\n");
  if (end == bytes.npos) {
    if (bytes.size() >= kMostProxyV1Bytes) return broken(1, "the line is longer than 107 bytes");
    if (const size_t feed = bytes.find('\n'); feed != bytes.npos) return broken(1, "a line feed without CR");
    return {ProxyState::NeedMore, 1, bytes.size() + 1, ""};
  }
  std::string_view line = bytes.substr(kV1Start.size(), end - kV1Start.size());
  header = {};
  header.version = 1;
  const ProxyParse complete{ProxyState::Complete, 1, end + 2, ""};
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return complete;  // 2.1: what follows is to be ignored.

  std::string_view words[5];
  for (size_t i = 0; i < 5; ++i) {
    const size_t space = line.find(' ');
    if ((space == line.npos) != (i == 4)) return broken(1, "expected a protocol, two addresses and two ports");
    words[i] = line.substr(0, space);
    line.remove_prefix(space == line.npos ? line.size() : space + 1);
  }
  if (words[0] != "TCP4" && words[0] != "TCP6") return broken(1, "the protocol is none of TCP4, TCP6, UNKNOWN");
  const int family = words[0] == "TCP4" ? AF_INET : AF_INET6;
  const auto source = readAddress(words[1], words[3], family);
  const auto destination = readAddress(words[2], words[4], family);
  if (!source || !destination || !isUnicast(*source) || !isUnicast(*destination)) return broken(1, "a bad address");
  header.has_addresses = true;
  header.source = *source;
  header.destination = *destination;
  return complete;
}

// --- Version 2 ---

uint16_t shortAt(std::string_view bytes, size_t at) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes[at]) << 8 | static_cast<uint8_t>(bytes[at + 1]));
}

Address addressAt(std::string_view ip, uint16_t port) {
  if (ip.size() == 4) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, ip.data(), 4);
    return Address::verbatim(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&v6.sin6_addr, ip.data(), 16);
  return Address::verbatim(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
}

// 2.2.6: each TLV lies whole within the header.
bool readTlvs(std::string_view bytes, std::vector<ProxyTlv>& tlvs) {
  while (!bytes.empty()) {
    if (bytes.size() < 3) return false;
    const size_t length = shortAt(bytes, 1);
    if (length > bytes.size() - 3) return false;
    tlvs.push_back({static_cast<uint8_t>(bytes[0]), std::string(bytes.substr(3, length))});
    bytes.remove_prefix(3 + length);
  }
  return true;
}

ProxyParse parseV2(std::string_view bytes, ProxyHeader& header) {
  if (bytes.size() < kProxyV2FixedBytes) return {ProxyState::NeedMore, kVersion2, kProxyV2FixedBytes, ""};
  const auto version_command = static_cast<uint8_t>(bytes[12]);
  const auto family = static_cast<uint8_t>(static_cast<uint8_t>(bytes[13]) >> 4);
  const auto transport = static_cast<uint8_t>(static_cast<uint8_t>(bytes[13]) & 0xf);
  const uint8_t command = version_command & 0xf;
  if (version_command >> 4 != kVersion2) return broken(kVersion2, "the version is not 2");
  if (command != kLocal && command != kProxy) return broken(kVersion2, "an unknown command");
  const size_t rest = shortAt(bytes, 14);
  const size_t ip_bytes = family == kInet ? 4 : 16;
  const size_t address_bytes = 2 * ip_bytes + 4;
  if (command == kProxy) {
    if (family != kInet && family != kInet6) return broken(kVersion2, "the address family is not IPv4 or IPv6");
    if (transport != kStream && transport != kDatagram) return broken(kVersion2, "an unknown transport");
    if (rest < address_bytes) return broken(kVersion2, "the length is less than the addresses need");
  }
  const size_t whole = kProxyV2FixedBytes + rest;
  if (bytes.size() < whole) return {ProxyState::NeedMore, kVersion2, whole, ""};

  header = {};
  header.version = kVersion2;
  const ProxyParse complete{ProxyState::Complete, kVersion2, whole, ""};
  if (command == kLocal) return complete;  // 2.2: the receiver must use the connection's own, and skip the rest.
  const std::string_view body = bytes.substr(kProxyV2FixedBytes, rest);
  if (!readTlvs(body.substr(address_bytes), header.tlvs)) return broken(kVersion2, "a TLV does not fit");
  header.has_addresses = true;
  header.source = addressAt(body.substr(0, ip_bytes), shortAt(body, 2 * ip_bytes));
  header.destination = addressAt(body.substr(ip_bytes, ip_bytes), shortAt(body, 2 * ip_bytes + 2));
  return complete;
}

void putShort(std::string& out, size_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value & 0xff);
}

void putIp(std::string& out, const Address& address) {
  if (address.family() == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address.sockaddrPtr());
    out.append(reinterpret_cast<const char*>(&v4->sin_addr), 4);
  } else {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address.sockaddrPtr());
    out.append(reinterpret_cast<const char*>(&v6->sin6_addr), 16);
  }
}

bool speakable(const Address& source, const Address& destination) {
  return source.isIp() && source.family() == destination.family();
}

}  // namespace

ProxyParse parseProxyHeader(std::string_view bytes, ProxyHeader& header) {
  if (bytes.empty()) return {ProxyState::NeedMore, 0, 1, ""};
  if (startsLike(bytes, kV1Start)) {
    if (bytes.size() < kV1Start.size()) return {ProxyState::NeedMore, 0, kV1Start.size(), ""};
    return parseV1(bytes, header);
  }
  if (startsLike(bytes, kV2Start)) {
    if (bytes.size() < kV2Start.size()) return {ProxyState::NeedMore, 0, kProxyV2FixedBytes, ""};
    return parseV2(bytes, header);
  }
  return {ProxyState::None, 0, 0, "no PROXY protocol header"};
}

std::string proxyHeaderV1(const Address& source, const Address& destination) {
  if (!speakable(source, destination)) return "PROXY UNKNOWN\r\n";
  return fmt::format("PROXY TCP{} {} {} {} {}\r\n", source.family() == AF_INET ? 4 : 6, source.ip(), destination.ip(),
                     source.port(), destination.port());
}

ProxyV2 proxyHeaderV2(const Address& source, const Address& destination, const std::vector<ProxyTlv>& tlvs) {
  const bool known = speakable(source, destination);
  ProxyV2 header;
  std::string body;
  if (known) {
    putIp(body, source);
    putIp(body, destination);
    putShort(body, source.port());
    putShort(body, destination.port());
  }
  for (const ProxyTlv& tlv : tlvs) {
    if (!known) break;
    if (body.size() + 3 + tlv.value.size() > kMostProxyBytes - kProxyV2FixedBytes) {
      ++header.left_out;
      continue;
    }
    body += static_cast<char>(tlv.type);
    putShort(body, tlv.value.size());
    body += tlv.value;
  }
  std::string& out = header.bytes;
  out = kV2Start;
  out += static_cast<char>(kVersion2 << 4 | (known ? kProxy : kLocal));
  const uint8_t family = source.family() == AF_INET ? kInet : kInet6;
  out += static_cast<char>(known ? family << 4 | kStream : 0);
  putShort(out, body.size());
  out += body;
  return header;
}

}  // namespace weir::net
