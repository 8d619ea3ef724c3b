// Operators about the connections on both sides: addresses, ports, numbers, how they ended.
#include <arpa/inet.h>

#include <cstring>

#include "format/tables.h"

namespace weir::format {
namespace {

using Kind = Operator::Kind;
using Parameter = RowWithParameter::Parameter;
using net::Address;
using FindAddress = const Address* (*)(const Entry&);

const Address* known(const Address& address) { return address.family() == AF_UNSPEC ? nullptr : &address; }

const Address* client(const Entry& e) { return known(e.info.client); }
const Address* local(const Entry& e) { return e.info.connection ? known(e.info.connection->local) : nullptr; }
// What PROXY protocol said does not change these.
const Address* directPeer(const Entry& e) {
  if (e.info.connection == nullptr) return nullptr;
  const Address* direct = known(e.info.connection->direct_peer);
  return direct != nullptr ? direct : known(e.info.connection->peer);
}
const Address* directLocal(const Entry& e) {
  if (e.info.connection == nullptr) return nullptr;
  const Address* direct = known(e.info.connection->direct_local);
  return direct != nullptr ? direct : local(e);
}
const Address* upstreamHost(const Entry& e) { return e.info.upstream ? known(e.info.upstream->remote) : nullptr; }
const Address* upstreamRemote(const Entry& e) {
  return e.info.upstream && e.info.upstream->connected ? known(e.info.upstream->remote) : nullptr;
}
const Address* upstreamLocal(const Entry& e) { return e.info.upstream ? known(e.info.upstream->local) : nullptr; }

template <FindAddress kFind>
bool whole(const Entry& entry, std::string& out) {
  const Address* address = kFind(entry);
  return address != nullptr && put(out, address->toString());
}
template <FindAddress kFind>
bool port(const Entry& entry, std::string& out) {
  const Address* address = kFind(entry);
  return address != nullptr && address->isIp() && putNumber(out, address->port());
}
// Internal listeners, whose addresses have one, do not exist here: empty where there is an address, as in Envoy.
template <FindAddress kFind>
bool endpointId(const Entry& entry, std::string&) {
  return kFind(entry) != nullptr;
}

// "10.1.0.0/16"; a longer mask than the address counts as its length.
void putMasked(const Address& address, unsigned bits, std::string& out) {
  unsigned char bytes[16] = {};
  const bool v4 = address.family() == AF_INET;
  const size_t size = v4 ? 4 : 16;
  if (v4) {
    std::memcpy(bytes, &reinterpret_cast<const sockaddr_in*>(address.sockaddrPtr())->sin_addr, size);
  } else {
    std::memcpy(bytes, &reinterpret_cast<const sockaddr_in6*>(address.sockaddrPtr())->sin6_addr, size);
  }
  bits = std::min<unsigned>(bits, static_cast<unsigned>(size * 8));
  for (size_t i = 0; i < size; ++i) {
    const unsigned kept = bits > i * 8 ? std::min<unsigned>(8, bits - static_cast<unsigned>(i * 8)) : 0;
    bytes[i] &= static_cast<unsigned char>(0xff00u >> kept);
  }
  char text[INET6_ADDRSTRLEN] = "";
  out += inet_ntop(address.family(), bytes, text, sizeof text);
  out += '/';
  putNumber(out, bits);
}

template <FindAddress kFind>
base::Result<Operator> withoutPort(const Command& command) {
  if (!command.parameter) {
    return Operator{Kind::Text, [](const Entry& entry, std::string& out) {
                      const Address* address = kFind(entry);
                      return address != nullptr && put(out, address->ip());
                    }};
  }
  const std::string_view text = *command.parameter;
  unsigned bits = 0;
  if (text.size() > 3 || text.find_first_not_of("0123456789") != std::string_view::npos ||
      (bits = static_cast<unsigned>(std::stoul(std::string(text)))) > 128) {
    return refused(std::string(command.name) + ": '" + std::string(text) + "' is no length of a prefix");
  }
  return Operator{Kind::Text, [bits](const Entry& entry, std::string& out) {
                    const Address* address = kFind(entry);
                    if (address == nullptr) return false;
                    if (!address->isIp()) return put(out, address->ip());
                    putMasked(*address, bits, out);
                    return true;
                  }};
}

// A name as configured or resolved; the address stands in where there is none.
bool putHostName(const Address& address, std::string_view hostname, bool with_port, std::string& out) {
  if (hostname.empty()) return put(out, with_port ? address.toString() : address.ip());
  const size_t colon = hostname.rfind(':');
  const bool has_port = colon != std::string_view::npos && hostname.find(':') == colon;
  return put(out, with_port || !has_port ? hostname : hostname.substr(0, colon));
}

bool hostName(const Entry& e, bool with_port, std::string& out) {
  const Address* address = upstreamHost(e);
  return address != nullptr && putHostName(*address, e.info.upstream->hostname, with_port, out);
}

// All endpoints that were tried, the last one included, separated by commas.
template <typename Put>
bool tried(const Entry& entry, std::string& out, Put put_one) {
  if (!entry.info.upstream) return false;
  const filter::UpstreamInfo& upstream = *entry.info.upstream;
  for (const auto& earlier : upstream.tried) {
    put_one(earlier.remote, earlier.hostname, earlier.connection_id);
    out += ',';
  }
  // As Envoy: a connection that never came to be does not count.
  if (upstream.connected) {
    put_one(upstream.remote, upstream.hostname, upstream.connection_id);
  } else if (!upstream.tried.empty()) {
    out.pop_back();
  }
  return upstream.connected || !upstream.tried.empty();
}

bool hostsTried(const Entry& entry, bool with_port, std::string& out) {
  return tried(entry, out, [&](const Address& address, std::string_view, uint64_t) {
    out += with_port ? address.toString() : address.ip();
  });
}
bool namesTried(const Entry& entry, bool with_port, std::string& out) {
  return tried(entry, out, [&](const Address& address, std::string_view name, uint64_t) {
    putHostName(address, name, with_port, out);
  });
}

std::string_view closeName(filter::CloseType type) {
  switch (type) {
    case filter::CloseType::Normal: return "Normal";
    case filter::CloseType::LocalReset: return "LocalReset";
    case filter::CloseType::RemoteReset: return "RemoteReset";
  }
  return "";
}

bool putWithoutBlanks(std::string& out, std::string_view text) {
  for (const char c : text) out += c == ' ' ? '_' : c;
  return !text.empty();
}

bool cluster(const Entry& e, std::string& out) { return e.info.upstream && putKnown(out, e.info.upstream->cluster); }

constexpr PlainRow kRows[] = {
    {"DOWNSTREAM_REMOTE_ADDRESS", Kind::Text, whole<client>},
    {"DOWNSTREAM_REMOTE_PORT", Kind::Number, port<client>},
    {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS", Kind::Text, whole<directPeer>},
    {"DOWNSTREAM_DIRECT_REMOTE_PORT", Kind::Number, port<directPeer>},
    {"DOWNSTREAM_LOCAL_ADDRESS", Kind::Text, whole<local>},
    {"DOWNSTREAM_LOCAL_PORT", Kind::Number, port<local>},
    {"DOWNSTREAM_DIRECT_LOCAL_ADDRESS", Kind::Text, whole<directLocal>},
    {"DOWNSTREAM_DIRECT_LOCAL_PORT", Kind::Number, port<directLocal>},
    {"DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID", Kind::Text, endpointId<local>},
    {"DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID", Kind::Text, endpointId<directLocal>},
    {"UPSTREAM_HOST", Kind::Text, whole<upstreamHost>},
    {"UPSTREAM_REMOTE_ADDRESS", Kind::Text, whole<upstreamRemote>},
    {"UPSTREAM_REMOTE_PORT", Kind::Number, port<upstreamRemote>},
    {"UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID", Kind::Text, endpointId<upstreamRemote>},
    {"UPSTREAM_LOCAL_ADDRESS", Kind::Text, whole<upstreamLocal>},
    {"UPSTREAM_LOCAL_PORT", Kind::Number, port<upstreamLocal>},
    {"UPSTREAM_HOST_NAME", Kind::Text, [](const Entry& e, std::string& out) { return hostName(e, true, out); }},
    {"UPSTREAM_HOST_NAME_WITHOUT_PORT", Kind::Text,
     [](const Entry& e, std::string& out) { return hostName(e, false, out); }},
    {"UPSTREAM_HOSTS_ATTEMPTED", Kind::Text, [](const Entry& e, std::string& out) { return hostsTried(e, true, out); }},
    {"UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT", Kind::Text,
     [](const Entry& e, std::string& out) { return hostsTried(e, false, out); }},
    {"UPSTREAM_HOST_NAMES_ATTEMPTED", Kind::Text,
     [](const Entry& e, std::string& out) { return namesTried(e, true, out); }},
    {"UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT", Kind::Text,
     [](const Entry& e, std::string& out) { return namesTried(e, false, out); }},
    {"UPSTREAM_CONNECTION_IDS_ATTEMPTED", Kind::Text,
     [](const Entry& e, std::string& out) {
       return tried(e, out, [&](const Address&, std::string_view, uint64_t id) { putNumber(out, id); });
     }},
    {"UPSTREAM_CLUSTER", Kind::Text,
     [](const Entry& e, std::string& out) {
       if (e.info.upstream && !e.info.upstream->cluster_stat_name.empty()) {
         return put(out, e.info.upstream->cluster_stat_name);
       }
       return cluster(e, out);
     }},
    {"UPSTREAM_CLUSTER_RAW", Kind::Text, cluster},
    {"UPSTREAM_TRANSPORT_FAILURE_REASON", Kind::Text,
     [](const Entry& e, std::string& out) {
       return e.info.upstream && putWithoutBlanks(out, e.info.upstream->failure_reason);
     }},
    {"DOWNSTREAM_TRANSPORT_FAILURE_REASON", Kind::Text,
     [](const Entry& e, std::string& out) {
       return e.info.connection != nullptr && putWithoutBlanks(out, e.info.connection->transport_failure_reason);
     }},
    {"DOWNSTREAM_LOCAL_CLOSE_REASON", Kind::Text,
     [](const Entry& e, std::string& out) {
       return e.info.connection != nullptr && putKnown(out, e.info.connection->local_close_reason);
     }},
    {"DOWNSTREAM_DETECTED_CLOSE_TYPE", Kind::Text,
     [](const Entry& e, std::string& out) {
       return e.info.connection != nullptr && put(out, closeName(e.info.connection->close_type));
     }},
    {"CONNECTION_ID", Kind::Number,
     [](const Entry& e, std::string& out) {
       return e.info.connection != nullptr && putNumber(out, e.info.connection->id);
     }},
    {"UPSTREAM_CONNECTION_ID", Kind::Number,
     [](const Entry& e, std::string& out) {
       return putNumber(out, e.info.upstream ? e.info.upstream->connection_id : 0);
     }},
    {"FILTER_CHAIN_NAME", Kind::Text,
     [](const Entry& e, std::string& out) {
       return e.info.connection != nullptr && putKnown(out, e.info.connection->filter_chain_name);
     }},
};

constexpr RowWithParameter kWithoutPort[] = {
    {"DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Parameter::Optional, false, withoutPort<client>},
    {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", Parameter::Optional, false, withoutPort<directPeer>},
    {"DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", Parameter::Optional, false, withoutPort<local>},
    {"DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT", Parameter::Optional, false, withoutPort<directLocal>},
    {"UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", Parameter::Optional, false, withoutPort<upstreamLocal>},
    {"UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Parameter::Optional, false, withoutPort<upstreamRemote>},
};

}  // namespace

std::span<const PlainRow> connectionRows() { return kRows; }
std::span<const RowWithParameter> addressRows() { return kWithoutPort; }

}  // namespace weir::format
