#include "upstream/announcement.h"

#include <algorithm>

#include "base/log.h"

namespace weir::upstream {
namespace {

bool hasType(const std::vector<net::ProxyTlv>& tlvs, uint8_t type) {
  return std::any_of(tlvs.begin(), tlvs.end(), [type](const net::ProxyTlv& tlv) { return tlv.type == type; });
}

}  // namespace

net::ProxyHeader announcedClient(const AnnouncementSpec& spec, const filter::ConnectionInfo& client) {
  net::ProxyHeader header;
  header.version = spec.version;
  header.has_addresses = true;
  header.source = client.peer;
  header.destination = client.local;
  if (spec.version != 2 || client.proxy == nullptr) return header;
  for (const net::ProxyTlv& tlv : client.proxy->tlvs) {
    const bool passes =
        spec.pass_all_tlvs || std::find(spec.pass_tlvs.begin(), spec.pass_tlvs.end(), tlv.type) != spec.pass_tlvs.end();
    if (passes) header.tlvs.push_back(tlv);
  }
  return header;
}

std::string announcedKey(const AnnouncementSpec& spec, const net::ProxyHeader& client) {
  std::string key = client.source.toString() + ' ' + client.destination.toString();
  if (!spec.pools_by_tlvs) return key;
  for (const net::ProxyTlv& tlv : client.tlvs) {
    key += ' ' + std::to_string(tlv.type) + ' ' + std::to_string(tlv.value.size()) + ' ' + tlv.value;
  }
  return key;
}

std::vector<net::ProxyTlv> announcedTlvs(const AnnouncementSpec& spec, const Endpoint& endpoint,
                                         const std::vector<net::ProxyTlv>& of_client) {
  std::vector<net::ProxyTlv> all = endpoint.announced_tlvs;
  for (const auto* further : {&spec.add_tlvs, &of_client}) {
    const std::vector<net::ProxyTlv> before = all;
    std::copy_if(further->begin(), further->end(), std::back_inserter(all),
                 [&before](const net::ProxyTlv& tlv) { return !hasType(before, tlv.type); });
  }
  return all;
}

void AnnouncingStream::write(base::BufferChain& bytes) {
  if (said_) return stream_->write(bytes);
  early_.append(bytes);
}

void AnnouncingStream::finishWriting() {
  if (said_) return stream_->finishWriting();
  finish_early_ = true;
}

// As Envoy: a connection for ourselves is LOCAL in version 2, which has a word for it, and tells its own addresses in
// version 1.
std::string AnnouncingStream::words() const {
  const std::optional<net::ProxyHeader>& client = announcement_.client;
  if (announcement_.version == 1) {
    return client ? net::proxyHeaderV1(client->source, client->destination) : net::proxyHeaderV1(local(), peer());
  }
  if (!client) return net::proxyHeaderV2({}, {}, {}).bytes;
  net::ProxyV2 header = net::proxyHeaderV2(client->source, client->destination, client->tlvs);
  if (header.left_out > 0) {
    LOG(Upstream, Warning, "{} TLVs do not fit into the PROXY header for {}", header.left_out, peer().toString());
    if (announcement_.left_out != nullptr) announcement_.left_out->add();
  }
  return std::move(header.bytes);
}

void AnnouncingStream::onConnected() {
  const std::string said = words();
  base::BufferChain bytes(said);
  said_ = true;
  if (announcement_.sent != nullptr) announcement_.sent->add(bytes.size());
  bytes.append(early_);
  stream_->write(bytes);
  if (finish_early_) stream_->finishWriting();
  receiver_->onConnected();
}

}  // namespace weir::upstream
