#include "stats/store_data.h"

namespace weir::stats {
namespace {

template <typename Map>
auto& findOrCreate(Map& map, std::mutex& mutex, std::string_view name) {
  const std::lock_guard lock(mutex);
  auto found = map.find(name);
  if (found == map.end()) found = map.try_emplace(std::string(name)).first;
  return found->second.stat;
}

bool used(const Counter& counter) { return counter.value() != 0; }
bool used(const Gauge& gauge) { return gauge.touched(); }
bool used(const Histogram& histogram) { return histogram.count() != 0; }

template <typename Map, typename Wanted, typename List>
void collect(const Map& map, const Wanted& wanted, List& list) {
  for (const auto& [name, entry] : map) {
    if (wanted(name, entry.stat)) list.emplace_back(&name, &entry);
  }
}

}  // namespace

Store::Store() : data_(std::make_unique<Data>()) {
  auto extractor = TagExtractor::create({}, true, {});
  CHECK(extractor.ok());
  data_->extractor = *std::move(extractor);
}

Store::~Store() = default;

Counter& Store::counter(std::string_view name) { return findOrCreate(data_->counters, data_->names, name); }
Gauge& Store::gauge(std::string_view name) { return findOrCreate(data_->gauges, data_->names, name); }
Histogram& Store::histogram(std::string_view name) { return findOrCreate(data_->histograms, data_->names, name); }

base::Result<void> Store::setTagRules(std::vector<TagRule> rules, bool use_defaults, std::vector<Tag> fixed) {
  auto extractor = TagExtractor::create(rules, use_defaults, std::move(fixed));
  if (!extractor.ok()) return std::move(extractor).error();
  const std::lock_guard lock(data_->reading);
  data_->extractor = *std::move(extractor);
  return base::Ok{};
}

void Store::closeInterval() {
  const std::lock_guard reading(data_->reading);
  const std::lock_guard names(data_->names);
  for (auto& [name, entry] : data_->histograms) {
    Distribution now = entry.stat.distribution();
    entry.interval = now.since(entry.at_interval_start);
    entry.at_interval_start = std::move(now);
  }
}

void Store::resetCounters() {
  const std::lock_guard lock(data_->names);
  for (auto& [name, entry] : data_->counters) entry.stat.reset();
}

void Store::eachCounter(const std::function<void(const std::string&, uint64_t)>& tell) const {
  const std::lock_guard lock(data_->names);
  for (const auto& [name, entry] : data_->counters) tell(name, entry.stat.value());
}

void Store::eachGauge(const std::function<void(const std::string&, int64_t)>& tell) const {
  const std::lock_guard lock(data_->names);
  for (const auto& [name, entry] : data_->gauges) {
    if (entry.stat.touched()) tell(name, entry.stat.value());
  }
}

base::Result<Store::Listing> Store::list(const View& view) const {
  re2::RE2 filter(view.filter, re2::RE2::Quiet);
  if (!filter.ok()) {
    return base::Error{base::Code::InvalidArgument, base::Side::Client, base::Retry::No,
                       "Invalid re2 regex: " + filter.error()};
  }
  const auto wanted = [&](const std::string& name, const auto& stat) {
    return (!view.used_only || used(stat)) && (view.filter.empty() || re2::RE2::PartialMatch(name, filter));
  };
  const auto asked = [&](Kind kind) { return view.kind == Kind::All || view.kind == kind; };
  Listing listing;
  const std::lock_guard lock(data_->names);
  if (asked(Kind::Counters)) collect(data_->counters, wanted, listing.counters);
  if (asked(Kind::Gauges)) collect(data_->gauges, wanted, listing.gauges);
  if (asked(Kind::Histograms)) collect(data_->histograms, wanted, listing.histograms);
  return listing;
}

}  // namespace weir::stats
