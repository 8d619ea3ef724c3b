// Requests that ask for another protocol on their connection: upgrades (RFC 9110 7.8) and CONNECT (9.3.6), and the same
// over HTTP/2 (RFC 8441), which looks like an upgrade from here on.
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

// RFC 8441 4: the pseudo header says what HTTP/1 says by Connection and Upgrade.
void Exchange::readExtendedConnect() {
  const auto protocol = request_headers_.get(HeaderId::Protocol);
  if (!protocol) return;
  const std::string name(*protocol);
  request_headers_.remove(HeaderId::Protocol);
  request_headers_.set(HeaderId::Method, "GET");
  request_headers_.set(HeaderId::Upgrade, name);
  request_headers_.set(HeaderId::Connection, "upgrade");
}

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

void Exchange::beginTunnel(http::HeaderMap& headers) {
  tunnel_ = true;
  request_timer_.disarm();
  if (info_.protocol != http::Protocol::Http2) return;
  if (!isConnect(request_headers_)) headers.set(HeaderId::Status, "200");
  headers.remove(HeaderId::Connection);
  headers.remove(HeaderId::Upgrade);
}

}  // namespace weir::exchange
