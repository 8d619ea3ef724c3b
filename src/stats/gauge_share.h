// One owner's part of a gauge that several add to; taken back when the owner goes.
#pragma once

#include "stats/stats.h"

namespace weir::stats {

// Used by one thread. The gauge must outlive it.
class GaugeShare {
 public:
  explicit GaugeShare(Gauge& gauge) : gauge_(gauge) {}
  ~GaugeShare() { set(0); }
  GaugeShare(const GaugeShare&) = delete;
  GaugeShare& operator=(const GaugeShare&) = delete;

  void set(int64_t part) {
    if (part == part_) return;
    gauge_.add(part - part_);
    part_ = part;
  }

 private:
  Gauge& gauge_;
  int64_t part_ = 0;
};

}  // namespace weir::stats
