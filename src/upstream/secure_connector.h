// Connects to a cluster's endpoints by the cluster's transport: plain, or TLS over what a connector beneath it makes,
// either of them behind a PROXY protocol header where the cluster's endpoints are to be told who the client is.
#pragma once

#include <memory>

#include "tls/live.h"
#include "tls/sessions.h"
#include "upstream/cluster.h"

namespace weir::upstream {

// One per cluster and worker; keeps the sessions that later connections resume.
class SecureConnector final : public Connector {
 public:
  // below, spec and stats must outlive it, and stats its streams.
  SecureConnector(event::Loop& loop, Connector& below, const ClusterSpec& spec, ClusterStats& stats);

  std::unique_ptr<net::ByteStream> connect(const net::Address& to, base::Duration timeout) override {
    return below_.connect(to, timeout);
  }
  std::unique_ptr<net::ByteStream> connectTo(const Endpoint& endpoint, const Purpose& purpose,
                                             base::Duration timeout) override;

 private:
  // Plain, and with what is to be said before all.
  std::unique_ptr<net::ByteStream> begin(const Endpoint& endpoint, const Purpose& purpose, base::Duration timeout);
  event::Loop& loop_;
  Connector& below_;
  const ClusterSpec& spec_;
  ClusterStats& stats_;
  stats::Counter* const tlvs_left_out_;  // Null where nothing is announced.
  tls::SessionStore sessions_;
  std::shared_ptr<const tls::ClientContext> context_;  // Whose sessions they are.
};

}  // namespace weir::upstream
