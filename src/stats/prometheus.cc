// The Prometheus text form, as Envoy writes it: all counters, then all gauges, then all histograms; stats that differ
// in their tags alone stand together under one TYPE line.
#include <fmt/core.h>

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "stats/store_data.h"

namespace weir::stats {
namespace {

// What plugins make lives under this; Prometheus sees the plugin's own name.
constexpr std::string_view kPluginNamespace = "wasmcustom.";

// Envoy's default bounds; recorders use milliseconds.
constexpr double kBounds[] = {0.5,  1,    5,     10,    25,    50,     100,    250,     500,    1000,
                              2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000};

std::string sanitized(std::string_view name) {
  std::string result(name);
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  std::replace_if(
      result.begin(), result.end(), [&](char c) { return !allowed(c); }, '_');
  return result;
}

// Empty if there is no Prometheus name for it.
std::string metricName(std::string_view name) {
  if (!name.starts_with(kPluginNamespace)) return "envoy_" + sanitized(name);
  std::string own = sanitized(name.substr(kPluginNamespace.size()));
  if (own.empty() || (own[0] >= '0' && own[0] <= '9')) return {};
  return own;
}

std::string escapedValue(std::string_view value) {
  std::string result;
  for (const char c : value) {
    if (c == '\\') {
      result += "\\\\";
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '"') {
      result += "\\\"";
    } else {
      result += c;
    }
  }
  return result;
}

std::string labelsOf(const TaggedName& tagged) {
  std::string labels;
  for (const Tag& tag : tagged.tags) {
    if (!labels.empty()) labels += ',';
    std::string name = sanitized(tag.name);
    if (name[0] >= '0' && name[0] <= '9') name.insert(0, 1, '_');
    labels += name + "=\"" + escapedValue(tag.value) + "\"";
  }
  return labels;
}

void write(std::string& out, const std::string& name, const std::string& labels, const Counter& counter) {
  out += fmt::format("{}{{{}}} {}\n", name, labels, counter.value());
}

void write(std::string& out, const std::string& name, const std::string& labels, const Gauge& gauge) {
  out += fmt::format("{}{{{}}} {}\n", name, labels, gauge.value());
}

void write(std::string& out, const std::string& name, const std::string& labels, const Histogram& histogram) {
  const uint64_t sum = histogram.sum();
  const Distribution values = histogram.distribution();
  const std::string before = labels.empty() ? "" : labels + ",";
  for (const double bound : kBounds) {
    out += fmt::format("{}_bucket{{{}le=\"{}\"}} {}\n", name, before, bound, values.countAtMost(bound));
  }
  out += fmt::format("{}_bucket{{{}le=\"+Inf\"}} {}\n", name, before, values.count());
  out += fmt::format("{}_sum{{{}}} {}\n{}_count{{{}}} {}\n", name, labels, sum, name, labels, values.count());
}

// Who a family of series belongs to. A name may have one type only, and a series may occur once only: else readers
// throw the whole page away. Names of different stats can meet, since unusual bytes become '_', and a plugin can choose
// any name: the proxy's own win.
struct Family {
  std::string_view type;
  bool plugin;
  bool operator==(const Family&) const = default;
};
using Families = std::unordered_map<std::string, Family>;

template <typename Stat>
struct Series {
  std::string name;
  Family family;
  std::string labels;
  const Stat* stat;
};

template <typename Named>
auto seriesOf(const Named& stats, std::string_view type, const TagExtractor& extractor) {
  using Stat = std::remove_reference_t<decltype(stats.front().second->stat)>;
  std::vector<Series<Stat>> series;
  for (const auto& [name, entry] : stats) {
    if (!entry->tagged) entry->tagged = extractor.extract(*name);
    std::string metric = metricName(entry->tagged->name);
    if (metric.empty()) continue;
    const bool plugin = entry->tagged->name.starts_with(kPluginNamespace);
    series.push_back({std::move(metric), {type, plugin}, labelsOf(*entry->tagged), &entry->stat});
  }
  // Stable: within one name, the order of the stats' own names.
  std::stable_sort(series.begin(), series.end(), [](const auto& a, const auto& b) {
    return std::tie(a.family.plugin, a.name) < std::tie(b.family.plugin, b.name);
  });
  return series;
}

template <typename Stat>
void claim(Families& families, const std::vector<Series<Stat>>& series, bool plugin) {
  for (const auto& one : series) {
    if (one.family.plugin == plugin) families.try_emplace(one.name, one.family);
  }
}

template <typename Stat>
void writeAll(std::string& out, const std::vector<Series<Stat>>& series, const Families& families) {
  std::string_view name;
  std::unordered_set<std::string_view> written;
  for (const auto& one : series) {
    if (families.at(one.name) != one.family) continue;
    if (one.name != name) {
      out += fmt::format("# TYPE {} {}\n", one.name, one.family.type);
      name = one.name;
      written.clear();
    }
    if (written.insert(one.labels).second) write(out, one.name, one.labels, *one.stat);
  }
}

}  // namespace

base::Result<std::string> Store::prometheus(const View& view) const {
  const auto listing = list(view);
  if (!listing.ok()) return listing.error();
  const std::lock_guard lock(data_->reading);
  const auto counters = seriesOf(listing->counters, "counter", data_->extractor);
  const auto gauges = seriesOf(listing->gauges, "gauge", data_->extractor);
  const auto histograms = seriesOf(listing->histograms, "histogram", data_->extractor);
  Families families;
  for (const bool plugin : {false, true}) {
    claim(families, counters, plugin);
    claim(families, gauges, plugin);
    claim(families, histograms, plugin);
  }
  std::string out;
  writeAll(out, counters, families);
  writeAll(out, gauges, families);
  writeAll(out, histograms, families);
  return out;
}

}  // namespace weir::stats
