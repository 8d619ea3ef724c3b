// How a listener finds the filter chain for a connection, as configuration gives it: plain data, after
// envoy.config.listener.v3 and envoy.extensions.filters.listener.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "net/cidr.h"

namespace weir::listener {

// What a connection must be for a filter chain. An empty criterion fits everything.
struct ChainMatch {
  enum class Source : uint8_t { Any, SameIpOrLoopback, External };

  std::optional<uint16_t> destination_port = std::nullopt;
  std::vector<net::Cidr> destination_ranges = {};
  std::vector<std::string> server_names = {};  // "www.example.com", or "*.example.com": any name below.
  std::string transport_protocol = {};         // "raw_buffer" or "tls"
  std::vector<std::string> application_protocols = {};
  std::vector<net::Cidr> direct_source_ranges = {};
  Source source = Source::Any;
  std::vector<net::Cidr> source_ranges = {};
  std::vector<uint16_t> source_ports = {};

  bool operator==(const ChainMatch& other) const = default;
};

// Looks for a client hello, and at what it asks for.
struct TlsInspectorSpec {
  size_t most_bytes = 16 * 1024;  // max_client_hello_size
  bool close_on_errors = false;   // close_connection_on_client_hello_parsing_errors
};

// Looks whether the client speaks HTTP, and which.
struct HttpInspectorSpec {};

struct ProxyProtocolSpec {
  bool optional = false;  // allow_requests_without_proxy_protocol
  bool refuse_v1 = false;
  bool refuse_v2 = false;
  std::string stat_prefix = {};
  // Which TLVs are kept for upstreams that are told them.
  bool keep_all_tlvs = false;
  std::vector<uint8_t> keep_tlvs = {};
  // Which TLVs are noted as the connection's dynamic metadata, and where. Of two for one type the later one counts.
  struct Rule {
    uint8_t type = 0;
    std::string name_space = {};
    std::string key = {};
    bool base64 = false;  // Else as text, with '!' for each byte that is no UTF-8.
  };
  std::vector<Rule> rules = {};
};

using FilterSpec = std::variant<TlsInspectorSpec, HttpInspectorSpec, ProxyProtocolSpec>;

}  // namespace weir::listener
