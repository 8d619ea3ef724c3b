// Decides whether an entry is written: the condition of a log, compiled. Immutable and pure but for the drawn numbers
// of sampling.
#pragma once

#include <memory>
#include <vector>

#include "access_log/spec.h"
#include "base/random.h"
#include "base/result.h"
#include "format/entry.h"
#include "route/matchers.h"

namespace weir::access_log {

class LogFilter {
 public:
  // Error (side Operator): an expression in it that does not compile.
  static base::Result<LogFilter> create(const FilterSpec& spec);
  bool passes(const format::Entry& entry, base::Random& random) const;

 private:
  bool sampled(const format::Entry& entry, base::Random& random) const;
  bool metadataMatches(const format::Entry& entry) const;

  FilterSpec spec_;  // Without its parts.
  std::vector<LogFilter> parts_;
  std::shared_ptr<const route::HeaderMatcher> header_;
  std::shared_ptr<const route::StringMatcher> string_;
};

}  // namespace weir::access_log
