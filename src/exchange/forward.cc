// The request has passed the filters: find its route, and answer, redirect, or ask an upstream.
#include "base/log.h"
#include "exchange/client_connection.h"
#include "exchange/exchange.h"
#include "exchange/request_headers.h"
#include "route/hash_policy.h"
#include "route/retry_policy.h"

namespace weir::exchange {
namespace {

// RFC 9110 9.2.2: a request whose repetition has no further effect may be sent again.
bool isIdempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE" || method == "PUT" ||
         method == "DELETE";
}

// As Envoy: with these an answer of the route's says where the request was sent.
bool tellsWhere(int status) { return status == 201 || (status >= 300 && status < 400); }

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
    const bool drawn = route_ && route_->route->forward && route_->cluster != route_->route->forward->cluster;
    info_.chosen_cluster = drawn ? route_->cluster : std::string_view();
    applyRouteLimits();
  }
  return route_ ? &*route_ : nullptr;
}

void Exchange::forwardRequestHeaders(http::HeaderMap& headers, bool end_stream) {
  if (!has_router_) return replyLocally(503, "router_disabled", "the route disables the router");
  const route::Match* match = route();
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
  finalizeRequest();
  if (end_stream) forwardEnded();
  startTry(end_stream);
}

void Exchange::answerDirectly() {
  manager_.stats.rq_direct_response.add();
  const route::DirectResponse& direct = *route_->route->direct;
  http::HeaderMap additions;
  info_.route_table->finalizeResponse(*route_, additions, logEntry(format::LogType::NotSet));
  std::string type;
  std::string body = info_.route_table->directBody(*route_, logEntry(format::LogType::NotSet), type);
  filter::LocalReply reply{direct.status, std::move(body), "direct_response", {}, -1};
  if (!type.empty()) reply.headers.emplace_back("content-type", type);
  if (tellsWhere(direct.status) && !additions.get(http::HeaderId::Location)) {
    reply.headers.emplace_back("location", info_.route_table->redirectLocation(*route_, request_headers_));
  }
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

// What is done once, however often the request is tried.
void Exchange::finalizeRequest() {
  const route::RouteAction& action = *route_->route->forward;
  info_.upstream.emplace();
  info_.upstream->cluster = cluster_->spec().name;
  info_.upstream->cluster_metadata = cluster_->metadata();
  if (route_->virtual_host->include_request_attempt_count) {
    request_headers_.setChecked(http::HeaderId::EnvoyAttemptCount, "1");
  }
  timeouts_ = chooseTimeouts(action, route_->retry_policy == nullptr ? nullptr : route_->retry_policy->policy,
                             request_headers_, grpc_request_);
  tellTimeouts(base::Duration::zero());
  if (request_headers_.has(http::HeaderId::EnvoyUpstreamRqTimeoutAltResponse)) timeout_status_ = 204;
  removeTimeoutInstructions(request_headers_);
  info_.route_table->finalizeRequest(*route_, request_headers_, logEntry(format::LogType::NotSet),
                                     !manager_.suppress_envoy_headers);
  hashRequest();
  prepareRetries();
  removeRetryInstructions(request_headers_);
}

void Exchange::tellTimeouts(base::Duration spent) {
  const auto left = timeLeft(timeouts_, spent);
  if (!left) return;
  if (!manager_.suppress_envoy_headers) {
    request_headers_.setChecked(http::HeaderId::EnvoyExpectedRqTimeoutMs, std::to_string(left->count()));
  }
  const route::RouteAction& action = *route_->route->forward;
  if (grpc_request_ && !action.max_stream_duration && action.max_grpc_timeout) {
    setGrpcTimeout(*left, request_headers_);
  }
}

void Exchange::hashRequest() {
  if (route_->hash_policies == nullptr) return;
  const filter::ConnectionInfo& connection = *info_.connection;
  const std::string name = connection.peer.toString() + connection.local.toString();
  const std::string client = info_.client.isIp() ? info_.client.ip() : std::string();
  route::Hashed hashed = route_->hash_policies->evaluate({request_headers_, client, name, info_.filter_state});
  hash_ = hashed.hash;
  set_cookies_ = std::move(hashed.set_cookies);
}

upstream::Wish Exchange::wish() const {
  upstream::Wish wish;
  wish.hash = hash_;
  wish.downstream = info_.protocol;
  wish.client = info_.connection;
  wish.high_priority = route_->route->forward->high_priority;
  const bool avoid = route_->retry_policy != nullptr && route_->retry_policy->policy->avoid_previous_hosts;
  if (avoid && retries_ != nullptr) wish.avoid = retries_->tried;
  // As Envoy: further tries by policy are the balancer's.
  if (info_.upstream->attempts == 1 || (is_repeat_ && !retried_)) wish.override_host = info_.override_host;
  return wish;
}

// May be told how it ended before it returns.
void Exchange::startTry(bool end_stream) {
  if (info_.upstream->attempts++ > 0) {
    info_.upstream->tried.push_back({info_.upstream->remote, info_.upstream->hostname, info_.upstream->connection_id});
    info_.upstream->connected = false;
  }
  attempt_started_ = manager_.loop.now();
  attempt_ = std::make_unique<Attempt>(static_cast<Attempt::Owner&>(*this), *cluster_, wish(), request_headers_,
                                       end_stream, switches_, manager_.buffer_limit);
  for (int i = 0; i < response_pauses_; ++i) attempt_->pauseReceiving();
  if (endsHere()) {
    attempt_->endHere(manager_.loop, *info_.connection);
  } else if (const auto filters = upstreamFilters(); !filters.empty()) {
    attempt_->filterBy(filters, request_headers_, manager_.loop, info_);
  }
  attempt_->start();
}

// As Envoy: those of the cluster, or the router's own where it has none, as far as the route wants them.
std::vector<filter::FilterFactory*> Exchange::upstreamFilters() const {
  const UpstreamFilters* all = &manager_.upstream_filters;
  const auto* own = dynamic_cast<const ClusterFilters*>(cluster_->spec().http_filters.get());
  if (own != nullptr) all = &own->filters;
  std::vector<filter::FilterFactory*> chosen;
  if (all->empty()) return chosen;
  const route::FilterOverrides& choice = info_.route_table->filterChoices()[route_->filter_choice];
  for (const UpstreamFilter& filter : *all) {
    const route::FilterOverride* said = route::find(choice, filter.name);
    if (said == nullptr ? filter.disabled : said->disabled) continue;
    // Routes that were replaced while the request was on its way have taken their filters along.
    const auto replaced = manager_.route_filters.find(said == nullptr ? nullptr : said->settings.get());
    chosen.push_back(replaced == manager_.route_filters.end() ? filter.factory.get() : replaced->second.get());
  }
  return chosen;
}

void Exchange::forwardRequestBody(base::BufferChain& bytes, bool end_stream) {
  body_forwarded_ = true;
  if (!keepForRetries(bytes)) return;
  if (end_stream) forwardEnded();
  if (attempt_ != nullptr) attempt_->sendBody(bytes, end_stream);
}

void Exchange::forwardRequestTrailers(http::HeaderMap& trailers) {
  forwarded_trailers_ = &trailers;
  forwardEnded();
  if (attempt_ != nullptr) attempt_->sendTrailers(trailers);
}

void Exchange::forwardRequestMetadata(http::Metadata& metadata) {
  if (attempt_ != nullptr) attempt_->sendMetadata(metadata);
  keepForRetries(metadata);
}

// As Envoy: the time runs from when the request's last byte was forwarded.
void Exchange::forwardEnded() {
  forward_ended_ = true;
  forward_ended_at_ = manager_.loop.now();
  if (info_.upstream && info_.upstream->connected) {
    info_.upstream->request_ended = manager_.loop.now() - info_.start_monotonic;
  }
  // A tunnel lasts; silence ends it.
  if (upstream_ended_ || route_ == std::nullopt || switches_) return;
  if (timeouts_.whole > base::Duration::zero()) route_timer_.arm(timeouts_.whole);
  if (attempt_ != nullptr && attempt_->connected()) armTryTimers();
}

void Exchange::onRouteTimeout() {
  if (attempt_ != nullptr) {
    cluster_->stats().upstream_rq_timeout.add();
    attempt_->countTimeout();
    if (!response_seen_) cluster_->stats().countResponse(timeout_status_);
  }
  answerTimeout("response_timeout");
}

void Exchange::answerTimeout(std::string_view details) {
  by_router_ = true;
  info_.setFlag(filter::ResponseFlag::UpstreamRequestTimeout);
  abandonUpstream();
  if (answer_started_) {
    info_.response_code_details = details;
    return resetClientStream();
  }
  replyLocally(timeout_status_, details, timeout_status_ == 504 ? "upstream request timeout" : "");
}

// One more try on a connection that turned out to be dead, and only where it cannot do harm.
bool Exchange::canRepeat() const {
  const uint64_t no_more = filter::bitOf(filter::ResponseFlag::UpstreamRetryLimitExceeded) |
                           filter::bitOf(filter::ResponseFlag::UpstreamOverflow);
  if ((info_.response_flags & no_more) != 0) return false;
  return !is_repeat_ && !body_forwarded_ && forward_ended_ && forwarded_trailers_ == nullptr &&
         isIdempotent(request_headers_.getOr(http::HeaderId::Method, ""));
}

}  // namespace weir::exchange
