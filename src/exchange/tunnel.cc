// Requests that ask for another protocol on their connection: upgrades (RFC 9110 7.8) and CONNECT (9.3.6), and the same
// over HTTP/2 (RFC 8441), which the codec has made look like an upgrade.
#include <algorithm>

#include "exchange/client_connection.h"
#include "exchange/exchange.h"
#include "exchange/request_headers.h"

namespace weir::exchange {
namespace {

using http::HeaderId;

const route::Upgrade* find(const std::vector<route::Upgrade>& upgrades, std::string_view type) {
  const auto at = std::find_if(upgrades.begin(), upgrades.end(), [type](const route::Upgrade& upgrade) {
    return http::equalsIgnoreCase(upgrade.type, type);
  });
  return at == upgrades.end() ? nullptr : &*at;
}

}  // namespace

std::string_view Exchange::wantedProtocol() const {
  if (isConnect(request_headers_)) return "CONNECT";
  return request_headers_.getOr(HeaderId::Upgrade, "");
}

// As Envoy: the route's word counts before the manager's.
bool Exchange::upgradeAllowed() {
  const std::string_view type = wantedProtocol();
  const route::Match* match = route();
  const route::Upgrade* by_route =
      match == nullptr || !match->route->forward ? nullptr : find(match->route->forward->upgrades, type);
  if (by_route != nullptr) return by_route->enabled;
  const route::Upgrade* by_manager = find(manager_.spec->upgrades, type);
  return by_manager != nullptr && by_manager->enabled;
}

// False: the request was answered.
bool Exchange::settleUpgrade() {
  if (!switches_) return true;
  if (isConnect(request_headers_) && route() == nullptr) {
    response_closes_ = true;
    replyLocally(404, "route_not_found", "", filter::ResponseFlag::NoRouteFound);
    return false;
  }
  if (!upgradeAllowed()) {
    manager_.stats.downstream_rq_ws_on_non_ws_route.add();
    response_closes_ = true;
    replyLocally(403, "upgrade_failed");
    return false;
  }
  manager_.stats.downstream_cx_upgrades_total.add();
  manager_.stats.downstream_cx_upgrades_active.add();
  upgrade_counted_ = true;
  return true;
}

// Whether this status makes the stream a tunnel.
bool Exchange::takesTunnel(int status) const {
  if (!switches_) return false;
  return isConnect(request_headers_) ? status >= 200 && status < 300 : status == 101;
}

void Exchange::beginTunnel() {
  tunnel_ = true;
  request_timer_.disarm();
}

// connect_config: the tunnel's bytes, and not the request, go to the upstream.
bool Exchange::endsHere() const {
  const route::Upgrade* const upgrade = find(route_->route->forward->upgrades, "CONNECT");
  if (upgrade == nullptr || !upgrade->ends_here) return false;
  if (isConnect(request_headers_)) return switches_;
  return upgrade->allow_post && request_headers_.getOr(HeaderId::Method, "") == "POST";
}

// As Envoy, a tunnel ends whole where its upstream ends a stream of HTTP/2; the answer is delivered first.
void Exchange::onAttemptWantsNoMore() {
  rest_unwanted_ = true;
  if (tunnel_ && answer_ended_ && !over_) answered();
}

}  // namespace weir::exchange
