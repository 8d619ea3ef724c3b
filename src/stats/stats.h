// Counters, gauges and histograms, by Envoy's names.
//
// Written by workers, read by the admin endpoint. Values are relaxed atomics. Creating by name takes a lock and a
// look-up: do it at configuration time and keep the reference. References stay valid as long as the Store lives:
// nothing is ever removed.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
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
  void reset() { value_.store(0, std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void add(int64_t amount = 1) {
    value_.fetch_add(amount, std::memory_order_relaxed);
    touched_.store(true, std::memory_order_relaxed);
  }
  void sub(int64_t amount = 1) { add(-amount); }
  void set(int64_t value) {
    value_.store(value, std::memory_order_relaxed);
    touched_.store(true, std::memory_order_relaxed);
  }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }
  // Written to at least once: a gauge at zero may well be in use.
  bool touched() const { return touched_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
  std::atomic<bool> touched_{false};
};

// How often which values occurred, to two decimal digits: 0, 1.0 to 1.1, ... 9.9 to 10, 10 to 11, ... 990 to 1000, and
// so on, as Envoy's histograms. A plain value, sorted by bucket.
class Distribution {
 public:
  struct Bucket {
    uint16_t number;
    uint64_t count;
  };
  void add(uint16_t bucket, uint64_t count);  // In ascending order of buckets.
  uint64_t count() const { return count_; }
  // q in [0, 1]; values are taken as spread evenly over their bucket. NaN if there are none.
  double quantile(double q) const;
  // Values in buckets that begin at or below bound, for Prometheus' cumulative buckets.
  uint64_t countAtMost(double bound) const;
  // What came after earlier, which must be an earlier state of the same histogram.
  Distribution since(const Distribution& earlier) const;

 private:
  std::vector<Bucket> buckets_;
  uint64_t count_ = 0;
};

// Values are unsigned; units are the recorder's (milliseconds for Envoy's times). Thread-safe; a decade's buckets
// (720 bytes) are allocated when its first value comes.
class Histogram {
 public:
  Histogram() = default;
  ~Histogram();
  Histogram(const Histogram&) = delete;
  Histogram& operator=(const Histogram&) = delete;

  void record(uint64_t value);
  uint64_t count() const { return distribution().count(); }
  uint64_t sum() const { return sum_.load(std::memory_order_relaxed); }
  // q in [0, 1]; 0 if nothing was recorded.
  double quantile(double q) const;
  // Recorded values at or below bound (to bucket precision).
  uint64_t countAtMost(double bound) const { return distribution().countAtMost(bound); }
  Distribution distribution() const;

 private:
  static constexpr size_t kDecades = 20;  // 10^19 is the highest power of ten in 64 bits.
  struct Decade;
  Decade& decade(size_t exponent);

  std::atomic<uint64_t> zeros_{0};
  std::atomic<Decade*> decades_[kDecades] = {};
  std::atomic<uint64_t> sum_{0};
};

// A rule that takes a tag out of a stat's name (stats_config.stats_tags): the first group of the regular expression is
// removed from the name, the second (or else the first) is the tag's value. An empty expression stands for Envoy's
// built-in rule of that tag. RE2's syntax: Envoy takes ECMAScript's, whose look-aheads and back-references RE2 refuses.
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

  // An invalid expression is the operator's error; call before stats are read. use_defaults: Envoy's built-in tags. Of
  // two rules that find the same tag in a name the first counts; rules come before the built-in ones.
  base::Result<void> setTagRules(std::vector<TagRule> rules, bool use_defaults, std::vector<Tag> fixed);
  // Ends the interval whose values histograms show beside the ones since the start; call every stats_flush_interval.
  void closeInterval();
  void resetCounters();
  // In the order of names. tell must not create stats.
  void eachCounter(const std::function<void(const std::string& name, uint64_t value)>& tell) const;

  // The same of gauges that were written to.
  void eachGauge(const std::function<void(const std::string& name, int64_t value)>& tell) const;

  // Envoy's /stats forms. filter: a regular expression (RE2, partial match) or empty, which if invalid is the client's
  // error with Envoy's words; used_only: only what was touched; kind: one kind of stat alone.
  enum class Kind : uint8_t { All, Counters, Gauges, Histograms };
  struct View {
    std::string filter = {};
    bool used_only = false;
    Kind kind = Kind::All;
  };
  base::Result<std::string> text(const View& view) const;
  base::Result<std::string> json(const View& view) const;
  // Names of the form "envoy_cluster_upstream_rq_total{envoy_cluster_name="x"} 1". What plugins made ("wasmcustom.x")
  // has neither prefix; where its name cannot be a Prometheus name it is left out, as in Envoy.
  base::Result<std::string> prometheus(const View& view) const;

 private:
  struct Data;
  struct Listing;
  base::Result<Listing> list(const View& view) const;
  std::unique_ptr<Data> data_;
};

}  // namespace weir::stats
