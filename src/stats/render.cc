// Envoy's text and JSON forms: counters and gauges in one list by name, histograms after them.
#include <fmt/core.h>

#include <cmath>

#include "stats/json_string.h"
#include "stats/store_data.h"

namespace weir::stats {
namespace {

// Calls each(name, value) for counters and gauges, merged by name.
template <typename Listing, typename Each>
void eachValue(const Listing& listing, Each each) {
  auto gauge = listing.gauges.begin();
  for (const auto& [name, entry] : listing.counters) {
    for (; gauge != listing.gauges.end() && *gauge->first < *name; ++gauge) {
      each(*gauge->first, std::to_string(gauge->second->stat.value()));
    }
    each(*name, std::to_string(entry->stat.value()));
  }
  for (; gauge != listing.gauges.end(); ++gauge) each(*gauge->first, std::to_string(gauge->second->stat.value()));
}

std::string number(double value, const char* nothing) { return std::isnan(value) ? nothing : fmt::format("{}", value); }

std::string summary(const HistogramEntry& entry) {
  const Distribution total = entry.stat.distribution();
  if (total.count() == 0) return " No recorded values";
  std::string text;
  for (size_t i = 0; i < std::size(kQuantiles); ++i) {
    text += fmt::format(" P{}({},{})", kQuantileNames[i], number(entry.interval.quantile(kQuantiles[i]), "nan"),
                        number(total.quantile(kQuantiles[i]), "nan"));
  }
  return text;
}

std::string quantilesJson(const std::string& name, const HistogramEntry& entry) {
  const Distribution total = entry.stat.distribution();
  std::string values;
  for (const double quantile : kQuantiles) {
    if (!values.empty()) values += ',';
    values += fmt::format(R"({{"cumulative":{},"interval":{}}})", number(total.quantile(quantile), "null"),
                          number(entry.interval.quantile(quantile), "null"));
  }
  return fmt::format(R"({{"name":{},"values":[{}]}})", jsonString(name), values);
}

}  // namespace

base::Result<std::string> Store::text(const View& view) const {
  const auto listing = list(view);
  if (!listing.ok()) return listing.error();
  std::string out;
  eachValue(*listing, [&](const std::string& name, const std::string& value) { out += name + ": " + value + "\n"; });
  const std::lock_guard lock(data_->reading);
  for (const auto& [name, entry] : listing->histograms) out += *name + ":" + summary(*entry) + "\n";
  return out;
}

base::Result<std::string> Store::json(const View& view) const {
  const auto listing = list(view);
  if (!listing.ok()) return listing.error();
  std::string out;
  const auto separate = [&] {
    if (!out.empty()) out += ',';
  };
  eachValue(*listing, [&](const std::string& name, const std::string& value) {
    separate();
    out += R"({"name":)" + jsonString(name) + R"(,"value":)" + value + "}";
  });
  std::string histograms;
  {
    const std::lock_guard lock(data_->reading);
    for (const auto& [name, entry] : listing->histograms) {
      if (!histograms.empty()) histograms += ',';
      histograms += quantilesJson(*name, *entry);
    }
  }
  if (!histograms.empty()) {
    separate();
    out += R"({"histograms":{"supported_quantiles":[0,25,50,75,90,95,99,99.5,99.9,100],"computed_quantiles":[)" +
           histograms + "]}}";
  }
  return R"({"stats":[)" + out + "]}";
}

}  // namespace weir::stats
