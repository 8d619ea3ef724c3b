#include "proxy_wasm/degraded_plugins.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "proxy_wasm/log_form.h"

namespace weir::proxy_wasm {
void DegradedPlugins::put(const std::shared_ptr<LatePlugin>& late, const PluginSpec& spec, const base::Error& why,
                          Again again) {
  Entry* entry = find(late.get());
  if (entry == nullptr) entry = &add(late, spec);
  ++entry->tries;
  entry->why = firstLine(why.detail);
  if (again == Again::ByTimer) armNext(*entry, base::Duration::zero());
}

DegradedPlugins::Entry& DegradedPlugins::add(const std::shared_ptr<LatePlugin>& late, const PluginSpec& spec) {
  stats::Gauge& gauge = environment_.stats.gauge(fmt::format("wasm.{}.degraded", spec.name));
  entries_.push_back(std::make_unique<Entry>(late, spec, gauge));
  Entry& entry = *entries_.back();
  entry.share.set(1);
  if (environment_.loop == nullptr) return entry;
  const auto again = [this, weak = std::weak_ptr(late)] { tryAgain(weak); };
  entry.timer = std::make_unique<event::Timer>(*environment_.loop, again);
  if (environment_.watch && spec.vm.code.kind == CodeSource::Kind::File) {
    entry.watch = environment_.watch(spec.vm.code.path, again);
  }
  return entry;
}

DegradedPlugins::Entry* DegradedPlugins::find(const LatePlugin* late) const {
  const auto at = std::ranges::find_if(entries_, [&](const auto& each) { return each->late.lock().get() == late; });
  return at == entries_.end() ? nullptr : at->get();
}

void DegradedPlugins::end(const LatePlugin& late) {
  std::erase_if(entries_, [&](const auto& each) { return each->late.lock().get() == &late; });
}

void DegradedPlugins::dropUnused() {
  std::erase_if(entries_, [](const auto& each) { return each->late.expired(); });
}

void DegradedPlugins::tryAgain(const std::weak_ptr<LatePlugin>& weak) {
  const auto late = weak.lock();
  if (late == nullptr) return dropUnused();
  Entry* const entry = find(late.get());
  if (entry == nullptr) return;
  entry->timer->disarm();  // Where it was the file that has changed.
  const base::MonotonicTime began = environment_.clock.monotonic();
  auto loaded = environment_.load(late, entry->spec);
  if (!loaded.ok()) {
    ++entry->tries;
    entry->why = firstLine(loaded.error().detail);
    LOG(Wasm, Warning, "plugin {} is still degraded after {} tries: {}", entry->spec.name, entry->tries, entry->why);
    return armNext(*entry, environment_.clock.monotonic() - began);
  }
  if (*loaded == nullptr) return;
  LOG(Wasm, Info, "plugin {} is degraded no more: it could be loaded after {} failed tries, and serves from now on",
      entry->spec.name, entry->tries);
  late->arrive(*std::move(loaded));
  end(*late);
  if (environment_.on_arrival) environment_.on_arrival();
}

// Half of the back-off and up to as much again at random.
void DegradedPlugins::armNext(Entry& entry, base::Duration took) {
  if (entry.timer == nullptr) return;
  const auto half = static_cast<uint64_t>(entry.backoff.count() / 2);
  const auto jittered = base::Duration(static_cast<int64_t>(half + random_.below(half + 1)));
  const base::Duration pause = std::max(jittered, kRest * took);
  entry.backoff = std::min(2 * entry.backoff, kLongestPause);
  entry.next = environment_.clock.monotonic() + pause;
  entry.timer->arm(took + pause);  // The loop's time stands still within a turn.
}

std::vector<std::string> DegradedPlugins::lines() const {
  std::vector<std::string> lines;
  const base::MonotonicTime now = environment_.clock.monotonic();
  for (const auto& entry : entries_) {
    if (entry->late.expired()) continue;
    const bool armed = entry->timer != nullptr && entry->timer->armed();
    const auto wait = std::chrono::ceil<std::chrono::seconds>(std::max(entry->next - now, base::Duration::zero()));
    lines.push_back(fmt::format("degraded: plugin {}: {}; {}; tried {} time{}, {}", entry->spec.name, entry->why,
                                entry->spec.failsOpen() ? "its streams go on without it" : "its streams are refused",
                                entry->tries, entry->tries == 1 ? "" : "s",
                                armed ? fmt::format("again in {} s", wait.count()) : "its code is being fetched"));
  }
  return lines;
}

}  // namespace weir::proxy_wasm
