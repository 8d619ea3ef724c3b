// A route table as configuration gives it: plain data, no behaviour. `RouteTable` (route_table.h) is built from it.
// Field by field after envoy.config.route.v3; what is absent here is refused by `config`.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "format/spec.h"

namespace weir::route {

struct StringMatch {
  enum class Kind : uint8_t { Exact, Prefix, Suffix, Contains, Regex };
  Kind kind = Kind::Exact;
  std::string text;
  bool ignore_case = false;
};

struct HeaderMatch {
  enum class Kind : uint8_t { Present, String, Range };
  std::string name;
  Kind kind = Kind::Present;
  StringMatch string;
  int64_t range_start = 0;  // [start, end)
  int64_t range_end = 0;
  bool invert = false;
  bool treat_missing_as_empty = false;
};

struct QueryMatch {
  std::string name;
  bool present_only = false;
  StringMatch string;
};

struct PathMatch {
  enum class Kind : uint8_t { Prefix, Path, Regex, PathSeparatedPrefix, Connect };
  Kind kind = Kind::Prefix;
  std::string text;
  bool case_sensitive = true;
};

struct HeaderValueOption {
  enum class Action : uint8_t { AppendIfExistsOrAdd, AddIfAbsent, OverwriteIfExistsOrAdd, OverwriteIfExists };
  std::string name;
  std::string value;  // An access-log format string ("%DOWNSTREAM_REMOTE_ADDRESS%"); plain text needs no operators.
  Action action = Action::AppendIfExistsOrAdd;
  bool keep_empty_value = false;
};

struct HeaderMutations {
  std::vector<HeaderValueOption> request_add;
  std::vector<std::string> request_remove;
  std::vector<HeaderValueOption> response_add;
  std::vector<std::string> response_remove;
  bool empty() const {
    return request_add.empty() && request_remove.empty() && response_add.empty() && response_remove.empty();
  }
};

struct RegexRewrite {
  std::string regex;
  std::string substitution;
};

// Settings of an HTTP filter for some routes only. What they are is the business of whoever makes and reads them.
struct FilterSettings {
  virtual ~FilterSettings() = default;
};

// typed_per_filter_config: what one HTTP filter does for the requests of a route, a virtual host, ...
struct FilterOverride {
  std::string filter;  // HttpFilter.name. A connection manager without such a filter is not concerned.
  bool disabled = false;
  std::shared_ptr<const FilterSettings> settings;  // Null: those that apply anyway.
};
using FilterOverrides = std::vector<FilterOverride>;

struct WeightedCluster {
  std::string cluster;
  uint32_t weight = 0;
  std::string host_rewrite;
  HeaderMutations headers;
  FilterOverrides filters;
};

// envoy.config.route.v3.RetryPolicy. retry_policy.h compiles it and knows the conditions.
struct RetryPolicy {
  struct ResetHeader {
    std::string name;
    bool unix_timestamp = false;  // Otherwise seconds from now.
  };
  std::string retry_on;  // As given: conditions of HTTP and of gRPC, by commas; what nobody knows is ignored.
  uint32_t num_retries = 1;
  std::optional<base::Duration> per_try_timeout;       // Absent or zero: none.
  std::optional<base::Duration> per_try_idle_timeout;  // Likewise.
  base::Duration base_interval = std::chrono::milliseconds(25);
  std::optional<base::Duration> max_interval;  // Absent: ten times the base.
  std::vector<ResetHeader> reset_headers;      // rate_limited_retry_back_off
  base::Duration reset_max_interval = std::chrono::seconds(300);
  std::vector<uint32_t> retriable_status_codes;
  std::vector<HeaderMatch> retriable_headers;
  std::vector<HeaderMatch> retriable_request_headers;
  bool avoid_previous_hosts = false;  // retry_host_predicate previous_hosts
};

// upgrade_configs: a protocol that may be asked for (Upgrade's value, or "CONNECT").
struct Upgrade {
  std::string type;  // Compared without regard to case.
  bool enabled = true;
  // connect_config: of a CONNECT (allow_post: of a POST, too) the bytes go upstream, and not the request.
  bool ends_here = false;
  bool allow_post = false;
};

// envoy.config.route.v3.RouteAction.HashPolicy; hash_policy.h compiles it.
struct HashPolicy {
  enum class Kind : uint8_t { Header, Cookie, SourceIp, QueryParameter, FilterState };
  Kind kind = Kind::Header;
  std::string name;  // Of header, cookie, parameter or filter state.
  bool terminal = false;
  std::optional<RegexRewrite> header_rewrite;
  std::optional<base::Duration> cookie_ttl;  // Absent: no cookie is made. Zero: it lives as long as the client.
  std::string cookie_path;
  std::vector<std::pair<std::string, std::string>> cookie_attributes;
};

// Zero lifts what the manager says.
struct MaxStreamDuration {
  std::optional<base::Duration> max;
  std::optional<base::Duration> grpc_header_max;  // With it grpc-timeout counts, up to this; zero: without a limit.
  std::optional<base::Duration> grpc_header_offset;
};

struct RouteAction {
  std::string cluster;  // One of cluster, cluster_header, weighted.
  std::string cluster_header;
  std::vector<WeightedCluster> weighted;
  int cluster_not_found_status = 503;
  std::string prefix_rewrite;
  std::optional<RegexRewrite> regex_rewrite;
  std::string host_rewrite;  // host_rewrite_literal
  bool auto_host_rewrite = false;
  std::string host_rewrite_header;
  std::optional<RegexRewrite> host_rewrite_path_regex;
  bool append_x_forwarded_host = false;
  std::optional<base::Duration> timeout;  // Absent: 15 s; zero: none.
  std::optional<base::Duration> idle_timeout;
  std::optional<RetryPolicy> retry_policy;  // Absent: the virtual host's.
  std::vector<Upgrade> upgrades;
  std::vector<HashPolicy> hash_policies;
  std::optional<MaxStreamDuration> max_stream_duration;  // With it there is no timeout by default.
  std::optional<base::Duration> max_grpc_timeout;        // The old way to have grpc-timeout count.
  std::optional<base::Duration> grpc_timeout_offset;
  bool high_priority = false;
};

struct RedirectAction {
  bool https = false;
  std::string scheme;
  std::string host;
  uint32_t port = 0;
  std::string path;  // path_redirect
  std::string prefix_rewrite;
  std::optional<RegexRewrite> regex_rewrite;
  int status = 301;
  bool strip_query = false;
};

struct DirectResponse {
  int status = 200;
  std::string body;
  std::optional<format::FormatSpec> body_format;
};

struct Route {
  std::string name;
  PathMatch path;
  std::vector<HeaderMatch> headers;
  std::vector<QueryMatch> query;
  bool grpc_only = false;
  std::optional<double> runtime_fraction;  // 0 to 1: only this share of the requests matches.
  // At most one of the three; none: non_forwarding, which Envoy answers with 503.
  std::optional<RouteAction> forward;
  std::optional<RedirectAction> redirect;
  std::optional<DirectResponse> direct;
  HeaderMutations header_mutations;
  std::string metadata;  // Serialized envoy.config.core.v3.Metadata; empty if none. Plugins read it as a property.
  std::optional<uint64_t> request_body_buffer_limit;  // Absent: the virtual host's.
  FilterOverrides filters;
};

struct VirtualHost {
  std::string name;
  std::vector<std::string> domains;
  std::vector<Route> routes;
  bool require_tls_all = false;
  HeaderMutations header_mutations;
  std::string metadata;
  std::optional<RetryPolicy> retry_policy;
  std::optional<uint64_t> request_body_buffer_limit;  // Kept of a body for retries; absent: what the connection keeps.
  bool include_request_attempt_count = false;
  bool include_attempt_count_in_response = false;
  bool include_is_timeout_retry_header = false;
  FilterOverrides filters;
};

struct RouteConfig {
  std::string name;
  std::vector<VirtualHost> virtual_hosts;
  HeaderMutations header_mutations;
  bool most_specific_mutations_win = false;
  bool ignore_port_in_host = false;
  FilterOverrides filters;
};

}  // namespace weir::route
