// Counters, gauges and histograms, by Envoy's names.
//
// Written by workers, read by the admin endpoint. Values are relaxed atomics. Creating by name takes a lock and a
// look-up: do it at configuration time and keep the reference. References stay valid as long as the Store lives:
// nothing is ever removed.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir::stats {

class Counter {
 public:
  void add(uint64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void add(int64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  void sub(int64_t amount = 1) { value_.fetch_sub(amount, std::memory_order_relaxed); }
  void set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// Log-linear buckets: a value is known to within a tenth. Values are unsigned; units are the recorder's (milliseconds
// for Envoy's times).
class Histogram {
 public:
  static constexpr size_t kBuckets = 64 * 8;
  void record(uint64_t value);
  uint64_t count() const;
  uint64_t sum() const { return sum_.load(std::memory_order_relaxed); }
  // q in [0, 1]; 0 if nothing was recorded.
  double quantile(double q) const;
  // Recorded values at or below bound (to bucket precision), for Prometheus' cumulative buckets.
  uint64_t countAtMost(double bound) const;

 private:
  std::atomic<uint64_t> buckets_[kBuckets] = {};
  std::atomic<uint64_t> sum_{0};
};

// A rule that takes a tag out of a stat's name (stats_config.stats_tags): the first group of the regular expression is
// removed from the name, the second (or else the first) is the tag's value.
struct TagRule {
  std::string tag;
  std::string regex;
};

struct Tag {
  std::string name;
  std::string value;
};

// Owns all stats of the process. Thread-safe.
class Store {
 public:
  Store();
  ~Store();

  Counter& counter(std::string_view name);
  Gauge& gauge(std::string_view name);
  Histogram& histogram(std::string_view name);

  // An invalid expression is the operator's error; call before stats are read. use_defaults: Envoy's built-in tags.
  base::Result<void> setTagRules(std::vector<TagRule> rules, bool use_defaults, std::vector<Tag> fixed);

  // Envoy's /stats forms. filter: a regular expression (RE2, partial match) or empty; used_only: only what was touched.
  struct View {
    std::string filter;
    bool used_only = false;
  };
  base::Result<std::string> text(const View& view) const;
  base::Result<std::string> json(const View& view) const;
  // Names of the form "envoy_cluster_upstream_rq_total{envoy_cluster_name="x"} 1"; wasmcustom.* without the prefix.
  base::Result<std::string> prometheus(const View& view) const;

 private:
  struct Data;
  std::unique_ptr<Data> data_;
};

}  // namespace weir::stats
