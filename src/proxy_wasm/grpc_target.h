// Whom a plugin's gRPC call is for: the name of a cluster, or a serialized envoy.config.core.v3.GrpcService.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy_wasm/pairs.h"

namespace weir::proxy_wasm {

struct GrpcTarget {
  std::string_view cluster;
  std::string_view authority;  // Empty: the cluster's name.
  PairViews metadata;
  uint32_t max_message = 0;  // Zero: not said.
  bool skip_envoy_headers = false;
  bool by_name = false;  // It was a cluster's name.
  // What it asks for that weir does not do, for the log; then there is no client to be had. Empty: nothing.
  std::string_view unsupported;
};

// All views are of target. What is no GrpcService, or one that names nobody, is a name.
GrpcTarget readGrpcTarget(std::string_view target);

}  // namespace weir::proxy_wasm
