// The request has passed the filters: find its route, and answer, redirect, or ask an upstream.
#include "base/log.h"
#include "exchange/client_connection.h"
#include "exchange/exchange.h"
#include "exchange/request_headers.h"

namespace weir::exchange {
namespace {

constexpr base::Duration kDefaultRouteTimeout = std::chrono::seconds(15);

// RFC 9110 9.2.2: a request whose repetition has no further effect may be sent again.
bool isIdempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE" || method == "PUT" ||
         method == "DELETE";
}

}  // namespace

const route::Match* Exchange::route() {
  if (!route_known_) {
    route_known_ = true;
    route_ = manager_.routes->match(request_headers_, random_);
    info_.route_table = manager_.routes;
    info_.route = route_ ? route_->route : nullptr;
    info_.virtual_host = route_ ? route_->virtual_host : nullptr;
    info_.route_name = route_ ? std::string_view(route_->route->name) : std::string_view();
    info_.route_metadata = route_ ? std::string_view(route_->route->metadata) : std::string_view();
    info_.virtual_host_metadata = route_ ? std::string_view(route_->virtual_host->metadata) : std::string_view();
  }
  return route_ ? &*route_ : nullptr;
}

void Exchange::forwardRequestHeaders(http::HeaderMap& headers, bool end_stream) {
  const route::Match* match = route();
  forward_ended_ = end_stream;
  if (match != nullptr && headers.getOr(http::HeaderId::Method, "").empty()) {  // A plugin took it away.
    return replyLocally(503, "missing_required_header", "missing required header: :method");
  }
  if (match == nullptr || (!match->route->forward && !match->route->direct && !match->route->redirect)) {
    manager_.stats.no_route.add();
    return replyLocally(404, "route_not_found", "", filter::ResponseFlag::NoRouteFound);
  }
  if (match->route->redirect) return redirect();
  if (match->route->direct) return answerDirectly();

  manager_.stats.rq_total.add();
  upstream::Cluster* const cluster = manager_.clusters.find(match->cluster);
  if (cluster == nullptr) {
    manager_.stats.no_cluster.add();
    return replyLocally(match->route->forward->cluster_not_found_status, "cluster_not_found", "",
                        filter::ResponseFlag::NoClusterFound);
  }
  cluster_ = upstream::ClusterUse(*cluster);
  idle_timeout_ = match->route->forward->idle_timeout ? match->route->forward->idle_timeout : idle_timeout_;
  if (idle_timeout_ == base::Duration::zero()) idle_timeout_.reset();
  idle_timer_.disarm();
  touchIdleTimer();
  startAttempt(end_stream);
}

void Exchange::answerDirectly() {
  manager_.stats.rq_direct_response.add();
  const route::DirectResponse& direct = *route_->route->direct;
  http::HeaderMap additions;
  info_.route_table->finalizeResponse(*route_, additions, logEntry(format::LogType::NotSet));
  std::string type;
  std::string body = manager_.routes->directBody(*route_, logEntry(format::LogType::NotSet), type);
  filter::LocalReply reply{direct.status, std::move(body), "direct_response", {}, -1};
  if (!type.empty()) reply.headers.emplace_back("content-type", type);
  for (const auto& entry : additions) reply.headers.emplace_back(entry.name, entry.value);
  chain_.sendLocalReply(reply);
}

void Exchange::redirect() {
  manager_.stats.rq_redirect.add();
  http::HeaderMap additions;
  info_.route_table->finalizeResponse(*route_, additions, logEntry(format::LogType::NotSet));
  filter::LocalReply reply{route_->route->redirect->status, "", "direct_response", {}, -1};
  reply.headers.emplace_back("location", info_.route_table->redirectLocation(*route_, request_headers_));
  for (const auto& entry : additions) reply.headers.emplace_back(entry.name, entry.value);
  chain_.sendLocalReply(reply);
}

void Exchange::startAttempt(bool end_stream) {
  const route::RouteAction& action = *route_->route->forward;
  upstream::Cluster& cluster = *cluster_;
  if (!request_finalized_) {
    request_finalized_ = true;
    route_timeout_ = action.timeout.value_or(kDefaultRouteTimeout);
    if (*route_timeout_ == base::Duration::zero()) route_timeout_.reset();
    if (route_timeout_ && !manager_.suppress_envoy_headers) {
      const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(*route_timeout_).count();
      request_headers_.set(http::HeaderId::EnvoyExpectedRqTimeoutMs, std::to_string(ms));
    }
    if (!info_.upstream) info_.upstream.emplace();
    info_.upstream->cluster = cluster.spec().name;
    info_.upstream->cluster_metadata = cluster.metadata();
    removeRouterInstructions(request_headers_);
    info_.route_table->finalizeRequest(*route_, request_headers_, logEntry(format::LogType::NotSet),
                                       !manager_.suppress_envoy_headers);
    if (end_stream) armRouteTimeout();
  }
  if (info_.upstream->attempts++ > 0) {
    info_.upstream->tried.push_back({info_.upstream->remote, info_.upstream->hostname, info_.upstream->connection_id});
    info_.upstream->connected = false;
  }
  attempt_started_ = manager_.loop.now();
  attempt_ = std::make_unique<Attempt>(static_cast<Attempt::Owner&>(*this), cluster, request_headers_, end_stream,
                                       manager_.buffer_limit);
  attempt_->start();
}

void Exchange::forwardRequestBody(base::BufferChain& bytes, bool end_stream) {
  body_forwarded_ = true;
  forward_ended_ = end_stream;
  if (end_stream) requestForwarded();
  if (attempt_ != nullptr) attempt_->sendBody(bytes, end_stream);
}

void Exchange::forwardRequestTrailers(http::HeaderMap& trailers) {
  forward_ended_ = true;
  requestForwarded();
  if (attempt_ != nullptr) attempt_->sendTrailers(trailers);
}

void Exchange::requestForwarded() {
  if (info_.upstream && info_.upstream->connected) {
    info_.upstream->request_ended = manager_.loop.now() - info_.start_monotonic;
  }
  armRouteTimeout();
}

// As Envoy: the time runs from when the request's last byte was forwarded.
void Exchange::armRouteTimeout() {
  if (route_timeout_ && !upstream_ended_) route_timer_.arm(*route_timeout_);
}

void Exchange::onRouteTimeout() {
  if (attempt_ != nullptr) {
    attempt_->cluster().stats().upstream_rq_timeout.add();
    attempt_->countTimeout();
    if (!answer_started_) attempt_->cluster().stats().countResponse(504);
  }
  info_.setFlag(filter::ResponseFlag::UpstreamRequestTimeout);
  abandonUpstream();
  if (answer_started_) {
    info_.response_code_details = "response_timeout";
    return resetClientStream();
  }
  replyLocally(504, "response_timeout", "upstream request timeout");
}

// One more try on a connection that turned out to be dead, and only where it cannot do harm.
bool Exchange::canRetry() const {
  return info_.upstream->attempts < 2 && !body_forwarded_ && forward_ended_ &&
         isIdempotent(request_headers_.getOr(http::HeaderId::Method, ""));
}

}  // namespace weir::exchange
