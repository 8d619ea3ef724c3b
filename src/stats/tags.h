// Takes tags out of stat names: "cluster.web.upstream_rq_200" is "cluster.upstream_rq" with envoy.cluster_name="web"
// and envoy.response_code="200".
#pragma once

#include <re2/re2.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "stats/stats.h"

namespace weir::stats {

struct TaggedName {
  std::string name;  // Without what the tags took.
  std::vector<Tag> tags;
};

class TagExtractor {
 public:
  static base::Result<TagExtractor> create(const std::vector<TagRule>& rules, bool use_defaults,
                                           std::vector<Tag> fixed);
  // Every rule looks at the whole name; what they take is cut out together. Rules' tags come first, then fixed ones,
  // then what the built-in rules found.
  TaggedName extract(std::string_view name) const;

 private:
  struct Rule {
    std::string tag;
    std::string_view needed;  // A name without this cannot match, and costs no run of the expression.
    std::unique_ptr<re2::RE2> regex;
  };
  struct Cut {
    size_t begin;
    size_t end;
  };
  base::Result<void> addRule(const TagRule& rule);
  static void apply(const Rule& rule, std::string_view name, TaggedName& tagged, std::vector<Cut>& cuts);

  std::vector<Rule> rules_;
  std::vector<Tag> fixed_;
  std::vector<Rule> defaults_;
};

}  // namespace weir::stats
