#include "stats/tags.h"

#include <algorithm>

namespace weir::stats {
namespace {

struct BuiltIn {
  const char* tag;
  const char* needed;
  const char* regex;
};

// Envoy's tags for the stats that this proxy has. Names with a dot leave what follows it in the stat's name, as there.
// Code and class come first because they do in Envoy's output.
constexpr BuiltIn kBuiltIn[] = {
    {"envoy.response_code", "_rq_", R"(_rq(_(\d{3}))$)"},
    {"envoy.response_code_class", "_rq_", R"(_rq_((\d))xx$)"},
    {"envoy.worker_id", "worker_", R"(^(?:listener\..*|server)\.worker(_(\d+))\.)"},
    {"envoy.virtual_cluster", "vhost.", R"(^vhost\.[^.]+\.vcluster\.(([^.]+)\.))"},
    {"envoy.virtual_host", "vhost.", R"(^vhost\.(([^.]+)\.))"},
    {"envoy.route", "vhost.", R"(^vhost\.[^.]+\.route\.(([^.]+)\.))"},
    {"envoy.rds_route_config", ".rds.", R"(^http\.[^.]+\.rds\.((.+)\.)\w+$)"},
    {"envoy.http_user_agent", ".user_agent.", R"(^http\.[^.]+\.user_agent\.(([^.]+)\.))"},
    {"envoy.http_conn_manager_prefix", "http.", R"(^(?:listener\..*?\.)?http\.(([^.]+)\.))"},
    {"envoy.listener_address", "listener.", R"(^listener\.((\d+\.\d+\.\d+\.\d+_\d+|\[[^\]]*\]_\d+|[^.]+)\.))"},
    {"envoy.cluster_name", "cluster.", R"(^cluster\.(([^.]+)\.))"},
    {"envoy.tcp_prefix", "tcp.", R"(^tcp\.(([^.]+)\.))"},
    // Our own stats of plugins; those that Envoy has too look as there.
    {"wasm.plugin", "wasm.",
     R"(^wasm\.((.+)\.)(?:call\.\w+\.\w+|fault_\w+|file_reload_\w+|load_\w+|degraded|breaker_\w+|memory_bytes)$)"},
    {"wasm.callback", ".call.", R"(^wasm\..+\.call\.((\w+)\.)\w+$)"},
};

const BuiltIn* findBuiltIn(std::string_view tag) {
  for (const BuiltIn& rule : kBuiltIn) {
    if (tag == rule.tag) return &rule;
  }
  return nullptr;
}

base::Error refused(std::string detail) {
  return {base::Code::InvalidArgument, base::Side::Operator, base::Retry::No, std::move(detail)};
}

bool hasTag(const TaggedName& tagged, std::string_view tag) {
  return std::any_of(tagged.tags.begin(), tagged.tags.end(), [&](const Tag& known) { return known.name == tag; });
}

}  // namespace

base::Result<TagExtractor> TagExtractor::create(const std::vector<TagRule>& rules, bool use_defaults,
                                                std::vector<Tag> fixed) {
  TagExtractor extractor;
  for (const TagRule& rule : rules) {
    if (auto added = extractor.addRule(rule); !added.ok()) return std::move(added).error();
  }
  for (const Tag& tag : fixed) {
    if (tag.name.empty()) return refused("tag_name cannot be empty");
  }
  extractor.fixed_ = std::move(fixed);
  if (!use_defaults) return extractor;
  for (const BuiltIn& rule : kBuiltIn) {
    extractor.defaults_.push_back({rule.tag, rule.needed, std::make_unique<re2::RE2>(rule.regex)});
  }
  return extractor;
}

base::Result<void> TagExtractor::addRule(const TagRule& rule) {
  if (rule.tag.empty()) return refused("tag_name cannot be empty");
  const BuiltIn* built_in = rule.regex.empty() ? findBuiltIn(rule.tag) : nullptr;
  if (rule.regex.empty() && built_in == nullptr) {
    return refused("no regex given for tag '" + rule.tag + "', and there is no built-in one");
  }
  auto regex = std::make_unique<re2::RE2>(built_in != nullptr ? built_in->regex : rule.regex, re2::RE2::Quiet);
  if (!regex->ok())
    return refused("regular expression '" + rule.regex + "' of tag '" + rule.tag + "': " + regex->error());
  rules_.push_back({rule.tag, {}, std::move(regex)});
  return base::Ok{};
}

void TagExtractor::apply(const Rule& rule, std::string_view name, TaggedName& tagged, std::vector<Cut>& cuts) {
  if (name.find(rule.needed) == name.npos || hasTag(tagged, rule.tag)) return;
  re2::StringPiece groups[3];
  const int count = std::min(rule.regex->NumberOfCapturingGroups(), 2) + 1;
  const re2::StringPiece text(name.data(), name.size());
  if (count < 2 || !rule.regex->Match(text, 0, text.size(), re2::RE2::UNANCHORED, groups, count)) return;
  if (groups[1].data() == nullptr) return;  // The group took no part in the match.
  const re2::StringPiece& value = count > 2 ? groups[2] : groups[1];
  // Envoy has no such tag for its own endpoint's listener.
  if (rule.tag == "envoy.listener_address" && value == "admin") return;
  tagged.tags.push_back({rule.tag, std::string(value.data() == nullptr ? "" : value.data(), value.size())});
  const auto begin = static_cast<size_t>(groups[1].data() - name.data());
  cuts.push_back({begin, begin + groups[1].size()});
}

TaggedName TagExtractor::extract(std::string_view name) const {
  TaggedName tagged;
  std::vector<Cut> cuts;
  for (const Rule& rule : rules_) apply(rule, name, tagged, cuts);
  for (const Tag& tag : fixed_) {
    if (!hasTag(tagged, tag.name)) tagged.tags.push_back(tag);
  }
  for (const Rule& rule : defaults_) apply(rule, name, tagged, cuts);
  // Cuts may overlap: each byte goes once.
  std::sort(cuts.begin(), cuts.end(), [](const Cut& a, const Cut& b) { return a.begin < b.begin; });
  size_t at = 0;
  for (const Cut& cut : cuts) {
    if (cut.begin > at) tagged.name += name.substr(at, cut.begin - at);
    at = std::max(at, cut.end);
  }
  tagged.name += name.substr(at);
  return tagged;
}

}  // namespace weir::stats
