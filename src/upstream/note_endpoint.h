// What a stream's information keeps of the endpoint that it goes to, for logs and plugins, over HTTP as over TCP.
#pragma once

#include "filter/stream_info.h"
#include "upstream/cluster.h"

namespace weir::upstream {

inline void noteEndpoint(const Endpoint& endpoint, filter::UpstreamInfo& info) {
  info.remote = endpoint.address;
  info.hostname = endpoint.hostname;
  info.endpoint_metadata = endpoint.metadata;
  info.locality = endpoint.locality_message;
  info.locality_metadata = endpoint.locality_metadata;
}

}  // namespace weir::upstream
