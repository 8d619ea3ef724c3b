// What the proxy itself does to a request's headers before any filter sees them: as Envoy's connection manager.
#pragma once

#include <optional>
#include <string>

#include "exchange/http_manager.h"
#include "filter/stream_info.h"
#include "http/header_map.h"

namespace weir::exchange {

// A request that is answered here, before filters and routes.
struct Refusal {
  int status;
  std::string details;
  std::string location;  // Of a redirect to the normalised path.
};

// Checks and rewrites path and host as configured (normalize_path, merge_slashes, strip_..._host_port).
std::optional<Refusal> normalizeTarget(const HttpManagerSpec& spec, const filter::ConnectionInfo& connection,
                                       http::HeaderMap& request);

// RFC 9110 7.8: Connection names Upgrade.
bool asksForUpgrade(const http::HeaderMap& request);
bool isConnect(const http::HeaderMap& request);

// Removes hop-by-hop headers (keep_upgrade: but not those by which another protocol is asked for), decides who the
// client is (info.client), and sets x-forwarded-for, x-forwarded-proto, :scheme, x-request-id and via.
void prepareRequestHeaders(const HttpManager& manager, http::HeaderMap& request, filter::StreamInfo& info,
                           bool keep_upgrade = false);

// Removes the headers by which callers instruct the router itself: as Envoy, those on timeouts before the route edits
// headers, and those on retries (which the route may add) after it.
void removeTimeoutInstructions(http::HeaderMap& request);
void removeRetryInstructions(http::HeaderMap& request);

// Removes hop-by-hop headers of the upstream (keep_upgrade: as above) and sets server, date, via and x-request-id as
// configured.
void prepareResponseHeaders(const HttpManager& manager, const http::HeaderMap* request, http::HeaderMap& response,
                            base::WallTime now, bool keep_upgrade = false);

}  // namespace weir::exchange
