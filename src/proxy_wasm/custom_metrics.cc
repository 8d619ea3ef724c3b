#include "proxy_wasm/custom_metrics.h"

#include <string>

namespace weir::proxy_wasm {
namespace {

constexpr uint32_t kTypeBits = 2;

uint32_t idOf(MetricType type, size_t count) {
  return static_cast<uint32_t>(count) << kTypeBits | static_cast<uint32_t>(type);
}

template <typename Stat>
Stat* at(const std::vector<Stat*>& stats, uint32_t id) {
  const uint32_t index = (id >> kTypeBits) - 1;  // Ids start at 1; 0 wraps to a place that does not exist.
  return index < stats.size() ? stats[index] : nullptr;
}

MetricType typeOf(uint32_t id) { return static_cast<MetricType>(id & 3); }

}  // namespace

void CustomMetrics::adopt(const CustomMetrics& other) {
  counters_ = other.counters_;
  gauges_ = other.gauges_;
  histograms_ = other.histograms_;
}

AbiStatus CustomMetrics::define(MetricType type, std::string_view name, uint32_t& id) {
  if (counters_.size() + gauges_.size() + histograms_.size() >= most_) return AbiStatus::InternalFailure;
  const std::string full = "wasmcustom." + std::string(name);
  switch (type) {
    case MetricType::Counter:
      counters_.push_back(&store_.counter(full));
      id = idOf(type, counters_.size());
      return AbiStatus::Ok;
    case MetricType::Gauge:
      gauges_.push_back(&store_.gauge(full));
      id = idOf(type, gauges_.size());
      return AbiStatus::Ok;
    case MetricType::Histogram:
      histograms_.push_back(&store_.histogram(full));
      id = idOf(type, histograms_.size());
      return AbiStatus::Ok;
    case MetricType::kCount: break;
  }
  return AbiStatus::BadArgument;
}

AbiStatus CustomMetrics::increment(uint32_t id, int64_t by) {
  switch (typeOf(id)) {
    case MetricType::Counter: {
      stats::Counter* counter = at(counters_, id);
      if (counter == nullptr) return AbiStatus::NotFound;
      if (by <= 0) return AbiStatus::BadArgument;
      counter->add(static_cast<uint64_t>(by));
      return AbiStatus::Ok;
    }
    case MetricType::Gauge: {
      stats::Gauge* gauge = at(gauges_, id);
      if (gauge == nullptr) return AbiStatus::NotFound;
      gauge->add(by);
      return AbiStatus::Ok;
    }
    case MetricType::Histogram:
    case MetricType::kCount: break;
  }
  return AbiStatus::BadArgument;  // As Envoy, also for ids that do not exist.
}

AbiStatus CustomMetrics::record(uint32_t id, uint64_t value) {
  switch (typeOf(id)) {
    case MetricType::Counter: {
      stats::Counter* counter = at(counters_, id);
      if (counter == nullptr) return AbiStatus::NotFound;
      counter->add(value);
      return AbiStatus::Ok;
    }
    case MetricType::Gauge: {
      stats::Gauge* gauge = at(gauges_, id);
      if (gauge == nullptr) return AbiStatus::NotFound;
      gauge->set(static_cast<int64_t>(value));
      return AbiStatus::Ok;
    }
    case MetricType::Histogram: {
      stats::Histogram* histogram = at(histograms_, id);
      if (histogram == nullptr) return AbiStatus::NotFound;
      histogram->record(value);
      return AbiStatus::Ok;
    }
    case MetricType::kCount: break;
  }
  return AbiStatus::NotFound;
}

AbiStatus CustomMetrics::get(uint32_t id, uint64_t& value) const {
  switch (typeOf(id)) {
    case MetricType::Counter: {
      const stats::Counter* counter = at(counters_, id);
      if (counter == nullptr) return AbiStatus::NotFound;
      value = counter->value();
      return AbiStatus::Ok;
    }
    case MetricType::Gauge: {
      const stats::Gauge* gauge = at(gauges_, id);
      if (gauge == nullptr) return AbiStatus::NotFound;
      value = static_cast<uint64_t>(gauge->value());
      return AbiStatus::Ok;
    }
    case MetricType::Histogram:
    case MetricType::kCount: break;
  }
  return AbiStatus::BadArgument;  // As Envoy, also for ids that do not exist.
}

}  // namespace weir::proxy_wasm
