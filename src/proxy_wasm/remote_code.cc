#include "proxy_wasm/remote_code.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <span>

#include "base/log.h"
#include "event/loop.h"
#include "wasm/digest.h"

namespace weir::proxy_wasm {
namespace {

std::string digestOf(const std::string& code) {
  return wasm::hex(wasm::sha256(std::as_bytes(std::span(code.data(), code.size()))));
}

base::Result<std::string> checked(const RemoteSource& source, std::string code) {
  const std::string digest = digestOf(code);
  if (digest == source.sha256) return code;
  return base::Error{base::Code::Malformed, base::Side::Upstream, base::Retry::Yes,
                     fmt::format("its sha256 is {}, and not {}", digest, source.sha256)};
}

// The file, without the cache's seal at its end.
std::string readWhole(int file) {
  std::string content;
  char piece[65536];
  for (ssize_t got; (got = ::pread(file, piece, sizeof(piece), static_cast<off_t>(content.size()))) > 0;) {
    content.append(piece, static_cast<size_t>(got));
  }
  content.resize(content.size() - std::min(content.size(), sizeof(wasm::Sha256)));
  return content;
}

}  // namespace

RemoteCode::RemoteCode(event::Loop& loop, stats::Store& stats, std::optional<wasm::ModuleCache> disk)
    : loop_(loop), disk_(std::move(disk)), store_(stats) {}

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

std::string RemoteCode::nameOf(const RemoteSource& source) { return source.sha256 + ".wasm"; }

std::shared_ptr<const std::string> RemoteCode::find(const RemoteSource& source) {
  forgetOld();
  const auto known = entries_.find(nameOf(source));
  std::shared_ptr<const std::string> code = known == entries_.end() ? nullptr : known->second.code;
  if (code == nullptr) code = fromDisk(source);
  if (code != nullptr) {
    Entry& entry = entries_[nameOf(source)];
    entry.source = source;
    entry.used = loop_.now();
    countEntries();
    counted().cache_hits.add();
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

std::shared_ptr<const std::string> RemoteCode::fromDisk(const RemoteSource& source) const {
  if (!disk_) return nullptr;
  const auto found = disk_->find(nameOf(source));
  if (found.found != wasm::ModuleCache::Found::Hit) return nullptr;
  auto code = std::make_shared<const std::string>(readWhole(found.file.get()));
  return digestOf(*code) == source.sha256 ? code : nullptr;
}

void RemoteCode::want(const RemoteSource& source, std::weak_ptr<const void> while_alive, Told told) {
  const std::string name = nameOf(source);
  Entry& entry = entries_[name];
  entry.source = source;
  entry.used = loop_.now();
  entry.waiting.push_back({std::move(while_alive), std::move(told)});
  countEntries();
  if (entry.given_up && entry.under_way) {  // Whoever comes now need not wait for what others have waited for in vain.
    loop_.post([waiting = entry.waiting.back()] {
      if (!waiting.alive.expired()) waiting.told(nullptr);
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
  pullFile(entry.source, fetch_, [this, name, alive = std::weak_ptr<int>(alive_)](base::Result<std::string> code) {
    if (!alive.expired()) onAnswer(name, std::move(code));
  });
}

void RemoteCode::onAnswer(const std::string& name, base::Result<std::string> code) {
  Entry& entry = entries_.at(name);
  if (code.ok()) code = checked(entry.source, *std::move(code));
  if (!code.ok()) return onFailure(entry, code.error());
  counted().fetch_successes.add();
  LOG(Wasm, Info, "plugin code from {}: {} bytes", entry.source.uri, code->size());
  entry.under_way = entry.given_up = false;
  entry.code = std::make_shared<const std::string>(*std::move(code));
  const std::shared_ptr<const std::string> here = entry.code;
  if (disk_) {
    const auto put = disk_->put(name, std::as_bytes(std::span(entry.code->data(), entry.code->size())));
    if (!put.ok()) LOG(Wasm, Warning, "plugin code cannot be kept: {}", put.error().detail);
    if (put.ok()) entry.code.reset();
  }
  tell(entry, here.get());
}

void RemoteCode::onFailure(Entry& entry, const base::Error& why) {
  const bool last = entry.tries == entry.source.retries + 1;
  LOG(Wasm, Warning, "plugin code from {} (cluster {}): {}", entry.source.uri, entry.source.cluster, why.detail);
  entry.failed = loop_.now();
  entry.timer->arm(nextPause(entry));
  if (!last) return;
  entry.given_up = true;
  counted().fetch_failures.add();
  tell(entry, nullptr);
  if (!entry.source.nack_on_miss) return;
  entry.timer->disarm();  // Whoever gets the configuration again asks again.
  entry.under_way = false;
  entry.waiting.clear();
}

// As Envoy: at random, up to an interval that doubles. After the last of the policy's tries: the longest one.
base::Duration RemoteCode::nextPause(const Entry& entry) {
  const RemoteSource& source = entry.source;
  if (entry.tries > source.retries) return std::max(source.max_interval, kLateRetry);
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
    if (!each.alive.expired()) each.told(code);
  }
}

void RemoteCode::countEntries() { counted().cache_entries.set(static_cast<int64_t>(entries_.size())); }

}  // namespace weir::proxy_wasm
