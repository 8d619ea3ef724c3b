#include "listener/filter_set.h"

namespace weir::listener {

FilterSet::FilterSet(const std::vector<FilterSpec>& specs, stats::Store& stats) {
  struct Visitor {
    Factory operator()(const TlsInspectorSpec& spec) const { return tlsInspector(spec, stats); }
    Factory operator()(const HttpInspectorSpec& spec) const { return httpInspector(spec, stats); }
    Factory operator()(const ProxyProtocolSpec& spec) const { return proxyProtocol(spec, stats); }
    stats::Store& stats;
  };
  for (const FilterSpec& spec : specs) factories_.push_back(std::visit(Visitor{stats}, spec));
}

std::vector<std::unique_ptr<Filter>> FilterSet::make() const {
  std::vector<std::unique_ptr<Filter>> filters;
  filters.reserve(factories_.size());
  for (const Factory& factory : factories_) filters.push_back(factory());
  return filters;
}

}  // namespace weir::listener
