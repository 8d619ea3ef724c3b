// Connects to a cluster's endpoints by the cluster's transport: plain, or TLS over what a connector beneath it makes.
#pragma once

#include <string>
#include <vector>

#include "tls/live.h"
#include "tls/sessions.h"
#include "upstream/cluster.h"

namespace weir::upstream {

// One per cluster and worker; keeps the sessions that later connections resume.
class SecureConnector final : public Connector {
 public:
  // below and spec must outlive it.
  SecureConnector(event::Loop& loop, Connector& below, const ClusterSpec& spec)
      : loop_(loop), below_(below), spec_(spec), sessions_(spec.tls ? spec.tls->max_session_keys : 0) {}

  std::unique_ptr<net::ByteStream> connect(const net::Address& to, base::Duration timeout) override {
    return below_.connect(to, timeout);
  }
  std::unique_ptr<net::ByteStream> connectTo(const Endpoint& endpoint, std::string_view server_name,
                                             base::Duration timeout, bool only_http2) override;
  // The same for bytes that are not HTTP: no application protocol is offered but those that are configured.
  std::unique_ptr<net::ByteStream> connectRaw(const Endpoint& endpoint, base::Duration timeout);

 private:
  std::unique_ptr<net::ByteStream> connect(const Endpoint& endpoint, std::string_view server_name,
                                           base::Duration timeout, std::vector<std::string> protocols);
  event::Loop& loop_;
  Connector& below_;
  const ClusterSpec& spec_;
  tls::SessionStore sessions_;
  std::shared_ptr<const tls::ClientContext> context_;  // Whose sessions they are.
};

}  // namespace weir::upstream
