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

struct WeightedCluster {
  std::string cluster;
  uint32_t weight = 0;
  std::string host_rewrite;
  HeaderMutations headers;
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
  std::optional<uint32_t> num_retries;  // Reserved for retry policies; see config for what is accepted.
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
};

struct VirtualHost {
  std::string name;
  std::vector<std::string> domains;
  std::vector<Route> routes;
  bool require_tls_all = false;
  HeaderMutations header_mutations;
  std::string metadata;
};

struct RouteConfig {
  std::string name;
  std::vector<VirtualHost> virtual_hosts;
  HeaderMutations header_mutations;
  bool most_specific_mutations_win = false;
  bool ignore_port_in_host = false;
};

}  // namespace weir::route
