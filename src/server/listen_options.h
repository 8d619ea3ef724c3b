// How a listener's sockets are bound and listened on.
#pragma once

#include "config/spec.h"
#include "net/listener.h"

namespace weir::server {

inline constexpr int kInbound = 1;  // envoy.config.core.v3.TrafficDirection

inline net::ListenOptions listenOptions(const config::ListenerSpec& spec) {
  net::ListenOptions options;
  options.backlog = static_cast<int>(spec.backlog);
  return options;
}

}  // namespace weir::server
