// The headers of an answer that the proxy (or a plugin) makes itself, as Envoy makes them.
#pragma once

#include "filter/filter.h"
#include "http/header_map.h"

namespace weir::filter {

// The reply's own headers come first; content-length and (unless given) content-type describe the body. For a gRPC
// request the answer is a trailers-only response: status 200 with grpc-status and the body, percent-encoded, as
// grpc-message.
http::HeaderMap localReplyHeaders(const LocalReply& reply, bool grpc_request);

}  // namespace weir::filter
