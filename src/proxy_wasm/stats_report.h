// What a plugin that is a sink of statistics is told of them (abi.md 3.8): all that are in use, with the growth of
// counters since the report before.
//
//   block: u32 size of the block, u32 kind (1 counters, 2 gauges), u32 how many
//   entry: u32 size of the name, the name, zeros up to a multiple of 8 from the beginning, u64 value, for counters u64
//   growth
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "stats/stats.h"

namespace weir::proxy_wasm {

class StatsReports {
 public:
  explicit StatsReports(const stats::Store& store) : store_(store) {}
  // The next report.
  std::string next();

 private:
  const stats::Store& store_;
  std::unordered_map<std::string, uint64_t> told_;  // Counters, as the report before had them.
};

}  // namespace weir::proxy_wasm
