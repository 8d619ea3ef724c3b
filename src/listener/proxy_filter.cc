// Takes the PROXY protocol header off a connection, and what it says for the truth.
#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "listener/filter_set.h"
#include "listener/tlv_metadata.h"

namespace weir::listener {
namespace {

struct VersionStats {
  VersionStats(stats::Store& store, const std::string& prefix)
      : found(store.counter(prefix + "found")),
        disallowed(store.counter(prefix + "disallowed")),
        error(store.counter(prefix + "error")) {}
  stats::Counter& found;
  stats::Counter& disallowed;
  stats::Counter& error;
};

struct Stats {
  Stats(stats::Store& store, const std::string& prefix)
      : errors(store.counter("downstream_cx_proxy_proto_error")),
        not_found_allowed(store.counter(prefix + "not_found_allowed")),
        not_found_disallowed(store.counter(prefix + "not_found_disallowed")),
        v1(store, prefix + "versions.v1."),
        v2(store, prefix + "versions.v2.") {}
  stats::Counter& errors;
  stats::Counter& not_found_allowed;
  stats::Counter& not_found_disallowed;
  VersionStats v1;
  VersionStats v2;
};

class ProxyProtocol final : public Filter {
 public:
  ProxyProtocol(const std::shared_ptr<const ProxyProtocolSpec>& spec, const std::shared_ptr<const Stats>& stats)
      : spec_(spec), stats_(stats) {}

  Verdict onBytes(base::BufferChain& received, Findings& findings) override {
    net::ProxyHeader header;
    const net::ProxyParse parsed = parse(received, header);
    const bool disallowed = parsed.version != 0 && isDisallowed(parsed.version);
    if (disallowed && spec_->optional) return without();
    if (disallowed) return refuseVersion(parsed.version);
    switch (parsed.state) {
      case net::ProxyState::NeedMore: return Verdict::NeedMore;
      case net::ProxyState::None: return spec_->optional ? without() : missing();
      case net::ProxyState::Broken: versionStats(parsed.version).error.add(); return refuse(parsed.fault);
      case net::ProxyState::Complete: break;
    }
    versionStats(parsed.version).found.add();
    received.drain(parsed.length);
    take(std::move(header), findings);
    return Verdict::Done;
  }

 private:
  // Most headers lie in the first slab; a long one is gathered once it is known to be there whole.
  static net::ProxyParse parse(base::BufferChain& received, net::ProxyHeader& header) {
    const size_t first = std::min(received.size(), base::BufferChain::kSlabBytes);
    const net::ProxyParse parsed = net::parseProxyHeader(received.linearize(first), header);
    if (parsed.state != net::ProxyState::NeedMore || parsed.length > received.size() || received.size() == first) {
      return parsed;
    }
    std::string whole(parsed.length, '\0');
    received.copyTo(whole, 0);
    return net::parseProxyHeader(whole, header);
  }

  bool isDisallowed(uint8_t version) const { return version == 1 ? spec_->refuse_v1 : spec_->refuse_v2; }
  const VersionStats& versionStats(uint8_t version) const { return version == 1 ? stats_->v1 : stats_->v2; }

  Verdict without() const {
    stats_->not_found_allowed.add();
    return Verdict::Done;
  }
  Verdict missing() const {
    stats_->not_found_disallowed.add();
    return refuse("no PROXY protocol header");
  }
  Verdict refuse(const char* why) const {
    stats_->errors.add();
    LOG(Connection, Debug, "PROXY protocol: {}", why);
    return Verdict::Close;
  }

  // No protocol error: the header was found, and is one that this listener does not take.
  Verdict refuseVersion(uint8_t version) const {
    versionStats(version).found.add();
    versionStats(version).disallowed.add();
    LOG(Connection, Debug, "PROXY protocol: version {} is disallowed", version);
    return Verdict::Close;
  }

  void take(net::ProxyHeader header, Findings& findings) const {
    if (header.has_addresses) {
      findings.remote = header.source;
      findings.local = header.destination;
      if (!spec_->rules.empty()) noteTlvs(spec_->rules, header.tlvs, findings);
    }
    if (!spec_->keep_all_tlvs) {
      std::erase_if(header.tlvs, [this](const net::ProxyTlv& tlv) {
        return std::find(spec_->keep_tlvs.begin(), spec_->keep_tlvs.end(), tlv.type) == spec_->keep_tlvs.end();
      });
    }
    findings.proxy = std::make_shared<const net::ProxyHeader>(std::move(header));
  }

  const std::shared_ptr<const ProxyProtocolSpec> spec_;
  const std::shared_ptr<const Stats> stats_;
};

}  // namespace

std::function<std::unique_ptr<Filter>()> proxyProtocol(const ProxyProtocolSpec& spec, stats::Store& stats) {
  const std::string prefix =
      spec.stat_prefix.empty() ? "proxy_proto." : fmt::format("proxy_proto.{}.", spec.stat_prefix);
  return
      [kept = std::make_shared<const ProxyProtocolSpec>(spec), counts = std::make_shared<const Stats>(stats, prefix)] {
        return std::make_unique<ProxyProtocol>(kept, counts);
      };
}

}  // namespace weir::listener
