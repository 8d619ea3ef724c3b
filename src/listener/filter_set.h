// The filters that a listener is configured with: makes those of a connection.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "listener/filter.h"
#include "listener/spec.h"
#include "stats/stats.h"

namespace weir::listener {

// Immutable once made, shared by all workers; the counters behind it are atomic.
class FilterSet {
 public:
  FilterSet() = default;
  // The store must outlive the set and its filters.
  FilterSet(const std::vector<FilterSpec>& specs, stats::Store& stats);

  bool empty() const { return factories_.empty(); }
  std::vector<std::unique_ptr<Filter>> make() const;

 private:
  using Factory = std::function<std::unique_ptr<Filter>()>;
  std::vector<Factory> factories_;
};

// Each in the source that bears its name.
std::function<std::unique_ptr<Filter>()> tlsInspector(const TlsInspectorSpec& spec, stats::Store& stats);
std::function<std::unique_ptr<Filter>()> httpInspector(const HttpInspectorSpec& spec, stats::Store& stats);
std::function<std::unique_ptr<Filter>()> proxyProtocol(const ProxyProtocolSpec& spec, stats::Store& stats);

}  // namespace weir::listener
