// The metrics that one VM's plugins have defined: ids of this VM over process-wide stats named wasmcustom.<name>.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "proxy_wasm/abi.h"
#include "stats/stats.h"

namespace weir::proxy_wasm {

class CustomMetrics {
 public:
  // most: ids that the VM may take. Stats are never removed, so that a plugin that makes up names would eat the
  // process.
  CustomMetrics(stats::Store& store, size_t most) : store_(store), most_(most) {}

  // The ids that another VM's plugins have defined; this one has none yet.
  void adopt(const CustomMetrics& other);
  // The id's low two bits are the type. A name defined twice gets two ids over one stat. InternalFailure over the
  // limit.
  AbiStatus define(MetricType type, std::string_view name, uint32_t& id);
  // A counter only grows: BadArgument otherwise, and for whatever is neither counter nor gauge by its id.
  AbiStatus increment(uint32_t id, int64_t by);
  // Adds to a counter, sets a gauge, records in a histogram.
  AbiStatus record(uint32_t id, uint64_t value);
  AbiStatus get(uint32_t id, uint64_t& value) const;

 private:
  stats::Store& store_;
  const size_t most_;
  std::vector<stats::Counter*> counters_;  // By id / 4 - 1; likewise the others.
  std::vector<stats::Gauge*> gauges_;
  std::vector<stats::Histogram*> histograms_;
};

}  // namespace weir::proxy_wasm
