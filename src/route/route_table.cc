#include "route/route_table.h"

#include "route/compiled.h"
#include "route/host_index.h"

namespace weir::route {
namespace {

class CompiledTable final : public RouteTable {
 public:
  explicit CompiledTable(RouteConfig config) : config_(std::move(config)) {}
  base::Result<void> compile();

  std::optional<Match> match(const http::HeaderMap& request, uint64_t random_value) const override;
  const RouteConfig& config() const override { return config_; }
  const std::vector<FilterOverrides>& filterChoices() const override { return filter_choices_.all(); }
  void finalizeRequest(const Match& match, http::HeaderMap& request, const format::Entry& entry,
                       bool note_originals) const override;
  void finalizeResponse(const Match& match, http::HeaderMap& response, const format::Entry& entry) const override;
  std::string directBody(const Match& match, const format::Entry& entry, std::string& content_type) const override;
  std::string redirectLocation(const Match& match, const http::HeaderMap& request) const override;

 private:
  void chooseFilters(CompiledVirtualHost& host);
  const CompiledVirtualHost* findVirtualHost(const http::HeaderMap& request) const;
  template <typename Apply>
  void eachMutation(const Match& match, Apply apply) const;
  void rewriteRequestHost(const Match& match, http::HeaderMap& request, bool note_original) const;

  const RouteConfig config_;
  HostIndex hosts_;
  std::vector<CompiledVirtualHost> virtual_hosts_;
  CompiledMutations mutations_;
  FilterChoices filter_choices_;
  Route tls_redirect_route_;
  CompiledRoute tls_redirect_;
};

base::Result<void> CompiledTable::compile() {
  for (uint32_t i = 0; i < config_.virtual_hosts.size(); ++i) {
    const VirtualHost& host = config_.virtual_hosts[i];
    const std::string where = "virtual_hosts[" + std::to_string(i) + "] (" + host.name + ")";
    for (const std::string& domain : host.domains) {
      if (auto added = hosts_.add(domain, i); !added.ok()) return std::move(added).error().in(where);
    }
    auto compiled = CompiledVirtualHost::create(host);
    if (!compiled.ok()) return std::move(compiled).error().in(where);
    virtual_hosts_.push_back(*std::move(compiled));
    chooseFilters(virtual_hosts_.back());
  }
  auto mutations = CompiledMutations::create(config_.header_mutations);
  if (!mutations.ok()) return std::move(mutations).error();
  mutations_ = *std::move(mutations);
  tls_redirect_route_.redirect.emplace().https = true;
  tls_redirect_.route = &tls_redirect_route_;
  return base::Ok{};
}

void CompiledTable::chooseFilters(CompiledVirtualHost& host) {
  for (CompiledRoute& compiled : host.routes) {
    const Route& route = *compiled.route;
    compiled.filter_choice = filter_choices_.add({&route.filters, &host.virtual_host->filters, &config_.filters});
    if (!route.forward) continue;
    for (const WeightedCluster& cluster : route.forward->weighted) {
      compiled.weighted_filter_choices.push_back(
          filter_choices_.add({&cluster.filters, &route.filters, &host.virtual_host->filters, &config_.filters}));
    }
  }
}

const CompiledVirtualHost* CompiledTable::findVirtualHost(const http::HeaderMap& request) const {
  std::string_view host = request.getOr(http::HeaderId::Authority, {});
  if (config_.ignore_port_in_host) host = withoutPort(host);
  const auto found = hosts_.find(host);
  return found ? &virtual_hosts_[*found] : nullptr;
}

void chooseCluster(const CompiledRoute& compiled, const http::HeaderMap& request, uint64_t random_value, Match& match) {
  const RouteAction& action = *compiled.route->forward;
  if (!action.cluster_header.empty()) {
    match.cluster = request.get(action.cluster_header).value_or(std::string_view{});
    return;
  }
  match.cluster = action.cluster;
  if (action.weighted.empty()) return;
  uint64_t drawn = random_value % compiled.weight_total;
  for (size_t i = 0; i < action.weighted.size(); ++i) {
    const WeightedCluster& cluster = action.weighted[i];
    if (drawn < cluster.weight) {
      match.weighted = &cluster;
      match.cluster = cluster.cluster;
      match.filter_choice = compiled.weighted_filter_choices[i];
      return;
    }
    drawn -= cluster.weight;
  }
}

std::optional<Match> CompiledTable::match(const http::HeaderMap& request, uint64_t random_value) const {
  const CompiledVirtualHost* host = findVirtualHost(request);
  if (host == nullptr) return std::nullopt;
  Match match;
  match.virtual_host = host->virtual_host;
  match.tls_redirect =
      host->virtual_host->require_tls_all && request.getOr(http::HeaderId::ForwardedProto, {}) != "https";
  match.compiled = match.tls_redirect ? &tls_redirect_ : host->find(request, random_value);
  if (match.compiled == nullptr) return std::nullopt;
  match.route = match.compiled->route;
  match.filter_choice = match.compiled->filter_choice;  // Of a redirect to TLS: 0, as in Envoy.
  if (!match.route->forward) return match;
  chooseCluster(*match.compiled, request, random_value, match);
  const auto& policy = match.compiled->retry_policy ? match.compiled->retry_policy : host->retry_policy;
  if (policy) match.retry_policy = &*policy;
  if (!match.compiled->hash_policies.empty()) match.hash_policies = &match.compiled->hash_policies;
  return match;
}

// Later ones win, and Envoy's default is that the most general comes last.
template <typename Apply>
void CompiledTable::eachMutation(const Match& match, Apply apply) const {
  if (match.tls_redirect) return;
  if (match.weighted != nullptr) {
    apply(match.compiled->weighted_mutations[match.weighted - match.route->forward->weighted.data()]);
  }
  const CompiledMutations& host = virtual_hosts_[match.virtual_host - config_.virtual_hosts.data()].mutations;
  if (config_.most_specific_mutations_win) {
    apply(mutations_);
    apply(host);
    apply(match.compiled->mutations);
  } else {
    apply(match.compiled->mutations);
    apply(host);
    apply(mutations_);
  }
}

void CompiledTable::finalizeRequest(const Match& match, http::HeaderMap& request, const format::Entry& entry,
                                    bool note_originals) const {
  // A weighted cluster's own host is set without leaving a note, and a rewrite by the route comes after it.
  if (match.weighted != nullptr && !match.weighted->host_rewrite.empty()) {
    request.set(http::HeaderId::Authority, match.weighted->host_rewrite);
  }
  eachMutation(match, [&](const CompiledMutations& mutations) { mutations.request.apply(request, entry); });
  if (match.route->forward) rewriteRequestHost(match, request, note_originals);
  if (match.compiled->path_rewrite.empty()) return;
  const auto path = request.get(http::HeaderId::Path);
  if (!path) return;
  if (note_originals) request.set(http::HeaderId::EnvoyOriginalPath, *path);
  request.set(http::HeaderId::Path, match.compiled->path_rewrite.apply(match.compiled->path, *path));
}

void CompiledTable::rewriteRequestHost(const Match& match, http::HeaderMap& request, bool note_original) const {
  const RouteAction& action = *match.route->forward;
  const bool append = action.append_x_forwarded_host;
  if (!action.host_rewrite.empty()) return rewriteHost(request, action.host_rewrite, append, note_original);
  if (!action.host_rewrite_header.empty()) {
    const std::string_view host = request.get(action.host_rewrite_header).value_or(std::string_view{});
    if (!host.empty()) rewriteHost(request, host, append, note_original);
    return;
  }
  if (!match.compiled->host_rewrite_path_regex) return;
  const std::string_view path = pathOnly(request.getOr(http::HeaderId::Path, {}));
  rewriteHost(request, match.compiled->host_rewrite_path_regex->replaceAll(path), append, note_original);
}

void CompiledTable::finalizeResponse(const Match& match, http::HeaderMap& response, const format::Entry& entry) const {
  eachMutation(match, [&](const CompiledMutations& mutations) { mutations.response.apply(response, entry); });
}

std::string CompiledTable::directBody(const Match& match, const format::Entry& entry, std::string& content_type) const {
  const std::string& body = match.route->direct->body;
  if (!match.compiled->direct_body) return body;
  format::Entry with_body = entry;
  with_body.local_reply_body = body;
  std::string out;
  match.compiled->direct_body->append(with_body, out);
  content_type = match.compiled->direct_body->contentType();
  return out;
}

std::string CompiledTable::redirectLocation(const Match& match, const http::HeaderMap& request) const {
  const std::string_view path = request.getOr(http::HeaderId::Path, {});
  if (match.tls_redirect) {
    return "https://" + std::string(request.getOr(http::HeaderId::Authority, {})) + std::string(path);
  }
  const RedirectAction* redirect = match.route->redirect ? &*match.route->redirect : nullptr;
  if (match.compiled->path_rewrite.empty()) return location(redirect, request, path);
  return location(redirect, request, match.compiled->path_rewrite.apply(match.compiled->path, path));
}

}  // namespace

base::Result<std::shared_ptr<const RouteTable>> RouteTable::create(RouteConfig config) {
  auto table = std::make_shared<CompiledTable>(std::move(config));
  if (auto compiled = table->compile(); !compiled.ok()) return std::move(compiled).error();
  return std::shared_ptr<const RouteTable>(std::move(table));
}

}  // namespace weir::route
