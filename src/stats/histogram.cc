#include <cmath>
#include <limits>

#include "stats/stats.h"

namespace weir::stats {
namespace {

// Bucket 0 holds zeros; then 90 buckets a decade, by the two leading digits.
constexpr size_t kPerDecade = 90;

struct Place {
  size_t exponent;  // 10^exponent <= value < 10^(exponent + 1)
  size_t slot;      // Two leading digits, less 10.
};

Place placeOf(uint64_t value) {
  size_t exponent = 0;
  uint64_t leading = value;
  while (leading >= 100) {
    leading /= 10;
    ++exponent;
  }
  if (leading < 10) return {0, static_cast<size_t>(leading * 10 - 10)};
  return {exponent + 1, static_cast<size_t>(leading - 10)};
}

double lowerBound(size_t bucket) {
  if (bucket == 0) return 0;
  const double digits = static_cast<double>((bucket - 1) % kPerDecade + 10);
  const int exponent = static_cast<int>((bucket - 1) / kPerDecade) - 1;
  return exponent < 0 ? digits / 10 : digits * std::pow(10, exponent);
}

double widthOf(size_t bucket) {
  if (bucket == 0) return 0;
  return std::pow(10, static_cast<int>((bucket - 1) / kPerDecade) - 1);
}

}  // namespace

void Distribution::add(uint16_t bucket, uint64_t count) {
  if (count == 0) return;
  buckets_.push_back({bucket, count});
  count_ += count;
}

double Distribution::quantile(double q) const {
  if (count_ == 0) return std::numeric_limits<double>::quiet_NaN();
  const double wanted = std::ceil(q * static_cast<double>(count_));
  double rank = std::max(1.0, wanted);
  for (const Bucket& bucket : buckets_) {
    const auto held = static_cast<double>(bucket.count);
    if (rank <= held) return lowerBound(bucket.number) + widthOf(bucket.number) * rank / (held + 1);
    rank -= held;
  }
  return lowerBound(buckets_.back().number) + widthOf(buckets_.back().number);
}

uint64_t Distribution::countAtMost(double bound) const {
  uint64_t counted = 0;
  for (const Bucket& bucket : buckets_) {
    if (lowerBound(bucket.number) > bound) break;
    counted += bucket.count;
  }
  return counted;
}

Distribution Distribution::since(const Distribution& earlier) const {
  Distribution difference;
  auto before = earlier.buckets_.begin();
  for (const Bucket& bucket : buckets_) {
    while (before != earlier.buckets_.end() && before->number < bucket.number) ++before;
    const bool known = before != earlier.buckets_.end() && before->number == bucket.number;
    difference.add(bucket.number, bucket.count - (known ? before->count : 0));
  }
  return difference;
}

struct Histogram::Decade {
  std::atomic<uint64_t> counts[kPerDecade] = {};
};

Histogram::~Histogram() {
  for (auto& decade : decades_) delete decade.load(std::memory_order_relaxed);
}

Histogram::Decade& Histogram::decade(size_t exponent) {
  Decade* present = decades_[exponent].load(std::memory_order_acquire);
  if (present != nullptr) return *present;
  auto made = std::make_unique<Decade>();
  if (decades_[exponent].compare_exchange_strong(present, made.get(), std::memory_order_acq_rel))
    return *made.release();
  return *present;  // Another thread came first.
}

void Histogram::record(uint64_t value) {
  if (value == 0) {
    zeros_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const Place place = placeOf(value);
  decade(place.exponent).counts[place.slot].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

Distribution Histogram::distribution() const {
  Distribution result;
  result.add(0, zeros_.load(std::memory_order_relaxed));
  for (size_t exponent = 0; exponent < kDecades; ++exponent) {
    const Decade* decade = decades_[exponent].load(std::memory_order_acquire);
    if (decade == nullptr) continue;
    for (size_t slot = 0; slot < kPerDecade; ++slot) {
      const auto bucket = static_cast<uint16_t>(1 + exponent * kPerDecade + slot);
      result.add(bucket, decade->counts[slot].load(std::memory_order_relaxed));
    }
  }
  return result;
}

double Histogram::quantile(double q) const {
  const double value = distribution().quantile(q);
  return std::isnan(value) ? 0 : value;
}

}  // namespace weir::stats
