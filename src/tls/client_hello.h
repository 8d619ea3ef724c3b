// Reads the first flight of a TLS client without ending TLS: what the TLS inspector and the choice of a certificate
// need.
//
// RFC 8446 4.1.2 (the message), 5.1 (records: it may come in several), RFC 6066 3 (SNI), RFC 7301 (ALPN).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::tls {

struct ClientHello {
  uint16_t legacy_version = 0;
  std::string server_name;  // SNI in lower case; empty: none.
  std::vector<std::string> alpn;
  std::vector<uint16_t> ciphers;
  std::vector<uint16_t> versions;  // supported_versions; empty before TLS 1.3.
  std::vector<uint16_t> groups;
  std::vector<uint16_t> signatures;
};

enum class HelloOutcome : uint8_t {
  NeedMore,  // What is there is the beginning of one, so far.
  Found,
  NotTls,    // Not the beginning of one: plain text, SSLv2.
  TooLarge,  // It would not fit into kLargestClientHello.
};

// As Envoy's TLS inspector.
constexpr size_t kLargestClientHello = 16 * 1024;

// bytes: everything that has come so far. hello is complete only if Found. Reads each byte a bounded number of times,
// and allocates no more than the message is long.
HelloOutcome readClientHello(std::string_view bytes, ClientHello& hello);

// The same for a message whose records were taken off already: a list of two-byte numbers behind a length of two bytes,
// as in supported_groups and signature_algorithms. Empty if it is malformed.
std::vector<uint16_t> readNumberList(std::string_view extension);
// The host name in a server_name extension, in lower case; empty if there is none or it is malformed.
std::string readServerName(std::string_view extension);

}  // namespace weir::tls
