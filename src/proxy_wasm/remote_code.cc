#include "proxy_wasm/remote_code.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "event/loop.h"

namespace weir::proxy_wasm {
namespace {

base::Result<std::string> checked(const RemoteSource& source, std::string code) {
  const std::string digest = sha256Of(code);
  if (digest == source.sha256) return code;
  return base::Error{base::Code::Malformed, base::Side::Upstream, base::Retry::Yes,
                     fmt::format("its sha256 is {}, and not {}", digest, source.sha256)};
}

}  // namespace

RemoteCode::RemoteCode(event::Loop& loop, stats::Store& stats, std::optional<wasm::ModuleCache> disk,
                       RegistrySettings registries)
    : loop_(loop), disk_(std::move(disk)), registries_(std::move(registries)), store_(stats) {}

RemoteCode::~RemoteCode() = default;

RemoteCode::Stats& RemoteCode::counted() {
  if (!stats_) {
    const auto counter = [&](const char* name) -> stats::Counter& {
      return store_.counter(std::string("wasm.remote_load_") + name);
    };
    stats_.emplace(Stats{counter("cache_hits"), counter("cache_misses"), counter("cache_negative_hits"),
                         counter("fetch_successes"), counter("fetch_failures"),
                         store_.gauge("wasm.remote_load_cache_entries")});
  }
  return *stats_;
}

RemoteCode::ImageStats& RemoteCode::countedImages() {
  if (!image_stats_) {
    image_stats_.emplace(ImageStats{store_.counter("wasm.oci_pulled"), store_.counter("wasm.oci_unchanged"),
                                    store_.counter("wasm.oci_last_good_used"), store_.counter("wasm.oci_over_limit")});
  }
  return *image_stats_;
}

// An image's name means something at its cluster only: another cluster may lead to another registry.
std::string RemoteCode::nameOf(const RemoteSource& source) {
  if (!source.image) return source.sha256;
  return fmt::format("{} {} {}", source.cluster, source.image->text(), source.sha256);
}

bool RemoteCode::asksFirst(const RemoteSource& source) const {
  if (!source.image || source.pinned()) return false;
  const PullPolicy by_tag = source.image->tag == "latest" ? PullPolicy::Always : PullPolicy::IfNotPresent;
  return registries_.policy.value_or(by_tag) == PullPolicy::Always;
}

std::shared_ptr<const std::string> RemoteCode::find(const RemoteSource& source) {
  forgetOld();
  const bool ask = asksFirst(source);
  const auto known = entries_.find(nameOf(source));
  const std::shared_ptr<const std::string> code = ask && !source.nack_on_miss ? nullptr : kept(source);
  if (code != nullptr) {
    Entry& entry = entries_[nameOf(source)];
    entry.source = source;
    entry.used = loop_.now();
    countEntries();
    counted().cache_hits.add();
    if (ask) want(source, alive_, [](const std::string*, std::string_view) {});
    return code;
  }
  const bool failed_lately =
      known != entries_.end() && known->second.given_up && loop_.now() - known->second.failed < kNegativeTime;
  (failed_lately ? counted().cache_negative_hits : counted().cache_misses).add();
  return nullptr;
}

void RemoteCode::forgetOld() {
  std::erase_if(entries_, [&](const auto& named) {
    const Entry& entry = named.second;
    return !entry.under_way && entry.waiting.empty() && loop_.now() - entry.used > kForgetAfter;
  });
}

std::optional<KeptCode::Image> RemoteCode::keptImage(const RemoteSource& source) const {
  const auto known = entries_.find(nameOf(source));
  if (known != entries_.end() && known->second.image) return known->second.image;
  return disk_.findImage(nameOf(source));
}

std::shared_ptr<const std::string> RemoteCode::kept(const RemoteSource& source) const {
  const auto known = entries_.find(nameOf(source));
  if (known != entries_.end() && known->second.code != nullptr) return known->second.code;
  if (!source.sha256.empty()) return disk_.find(source.sha256);
  const auto image = keptImage(source);
  return image ? disk_.find(image->sha256) : nullptr;
}

void RemoteCode::want(const RemoteSource& source, std::weak_ptr<const void> while_alive, Told told) {
  const std::string name = nameOf(source);
  Entry& entry = entries_[name];
  entry.source = source;
  entry.used = loop_.now();
  entry.waiting.push_back({std::move(while_alive), std::move(told)});
  countEntries();
  if (entry.given_up && entry.under_way) {  // Whoever comes now need not wait for what others have waited for in vain.
    loop_.post([waiting = entry.waiting.back(), why_not = entry.why_not] {
      if (!waiting.alive.expired()) waiting.told(nullptr, why_not);
    });
  }
  if (entry.under_way) return;
  entry.under_way = true;
  entry.given_up = false;
  entry.tries = 0;
  if (entry.timer == nullptr) entry.timer = std::make_unique<event::Timer>(loop_, [this, name] { start(name); });
  if (fetch_) entry.timer->arm(base::Duration::zero());
}

void RemoteCode::begin(Fetch fetch) {
  fetch_ = std::move(fetch);
  for (auto& [name, entry] : entries_) {
    if (entry.under_way) entry.timer->arm(base::Duration::zero());
  }
}

void RemoteCode::start(const std::string& name) {
  Entry& entry = entries_.at(name);
  std::erase_if(entry.waiting, [](const Entry::Waiting& waiting) { return waiting.alive.expired(); });
  if (entry.waiting.empty()) {  // Nobody wants it any more.
    entry.under_way = false;
    return;
  }
  ++entry.tries;
  if (entry.source.image) return startPull(name, entry);
  pullFile(entry.source, fetch_, [this, name, alive = std::weak_ptr<int>(alive_)](base::Result<std::string> code) {
    if (!alive.expired()) onAnswer(name, std::move(code));
  });
}

void RemoteCode::startPull(const std::string& name, const Entry& entry) {
  const RemoteSource& source = entry.source;
  ImagePull pull{.image = *source.image, .cluster = source.cluster, .timeout = source.timeout};
  // Only of use with the copy itself.
  if (const auto image = keptImage(source); image && kept(source) != nullptr) pull.known_digest = image->digest;
  pullImage(std::move(pull), registries_, fetch_,
            [this, name, alive = std::weak_ptr<int>(alive_)](base::Result<PulledImage> image) {
              if (!alive.expired()) onImage(name, std::move(image));
            });
}

void RemoteCode::onImage(const std::string& name, base::Result<PulledImage> image) {
  Entry& entry = entries_.at(name);
  if (!image.ok()) {
    if (image.error().code == base::Code::TooLarge) countedImages().over_limit.add();
    return onFailure(entry, image.error());
  }
  if (image->unchanged) {
    const std::shared_ptr<const std::string> code = kept(entry.source);
    if (code == nullptr)
      return onFailure(entry, {base::Code::Io, base::Side::Self, base::Retry::Yes, "the copy is gone"});
    countedImages().unchanged.add();
    LOG(Wasm, Info, "plugin image {} is {}, as before", entry.source.uri, image->digest);
    return end(entry, *code);
  }
  const auto before = keptImage(entry.source);
  LOG(Wasm, Info, "plugin image {} is {}{}", entry.source.uri, image->digest,
      before && before->digest != image->digest ? ", and was " + before->digest : "");
  countedImages().pulled.add();
  const KeptCode::Image now{image->digest, sha256Of(image->module)};
  const bool right = entry.source.sha256.empty() || entry.source.sha256 == now.sha256;
  if (right) entry.image = now;
  onAnswer(name, std::move(image->module));
  if (right) disk_.keepImage(name, now);
}

void RemoteCode::onAnswer(const std::string& name, base::Result<std::string> code) {
  Entry& entry = entries_.at(name);
  if (code.ok() && !entry.source.sha256.empty()) code = checked(entry.source, *std::move(code));
  if (!code.ok()) return onFailure(entry, code.error());
  counted().fetch_successes.add();
  LOG(Wasm, Info, "plugin code from {}: {} bytes", entry.source.uri, code->size());
  const auto here = std::make_shared<const std::string>(*std::move(code));
  entry.code = disk_.keep(sha256Of(*here), *here) ? nullptr : here;
  end(entry, *here);
}

void RemoteCode::end(Entry& entry, const std::string& code) {
  entry.under_way = entry.given_up = false;
  tell(entry, &code);
}

void RemoteCode::onFailure(Entry& entry, const base::Error& why) {
  LOG(Wasm, Warning, "plugin code from {} (cluster {}): {}", entry.source.uri, entry.source.cluster, why.detail);
  entry.failed = loop_.now();
  entry.why_not = why.detail;
  const bool last = !entry.given_up && (entry.tries > entry.source.retries || why.retry == base::Retry::No);
  if (last && useLastGood(entry)) return;
  entry.given_up = entry.given_up || last;
  entry.timer->arm(nextPause(entry));
  if (!last) return;
  counted().fetch_failures.add();
  tell(entry, nullptr);
  if (!entry.source.nack_on_miss) return;
  entry.timer->disarm();  // Whoever gets the configuration again asks again.
  entry.under_way = false;
  entry.waiting.clear();
}

// The image pulled last, where the policy would rather have asked what its name means now.
bool RemoteCode::useLastGood(Entry& entry) {
  if (!asksFirst(entry.source)) return false;
  const std::shared_ptr<const std::string> code = kept(entry.source);
  if (code == nullptr) return false;
  counted().fetch_failures.add();
  countedImages().last_good_used.add();
  const auto image = keptImage(entry.source);
  LOG(Wasm, Warning, "plugin image {} cannot be had; the copy pulled last is used: {}", entry.source.uri,
      image ? image->digest : "");
  end(entry, *code);
  return true;
}

// As Envoy: at random, up to an interval that doubles. After the last of the policy's tries: the longest one.
base::Duration RemoteCode::nextPause(const Entry& entry) {
  const RemoteSource& source = entry.source;
  if (entry.given_up) return std::max(source.max_interval, kLateRetry);
  base::Duration interval = source.base_interval;
  for (uint32_t i = 1; i < entry.tries && interval < source.max_interval; ++i) interval *= 2;
  interval = std::min(interval, source.max_interval);
  const auto most = static_cast<uint64_t>(std::max<int64_t>(interval.count(), 1));
  return base::Duration(static_cast<int64_t>(random_.below(most)));
}

// Those who are told may want something else meanwhile.
void RemoteCode::tell(Entry& entry, const std::string* code) {
  const std::vector<Entry::Waiting> waiting = code != nullptr ? std::exchange(entry.waiting, {}) : entry.waiting;
  for (const Entry::Waiting& each : waiting) {
    if (!each.alive.expired()) each.told(code, entry.why_not);
  }
}

void RemoteCode::countEntries() { counted().cache_entries.set(static_cast<int64_t>(entries_.size())); }

}  // namespace weir::proxy_wasm
