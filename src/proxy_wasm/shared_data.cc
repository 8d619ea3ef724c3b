#include "proxy_wasm/shared_data.h"

#include <algorithm>

namespace weir::proxy_wasm {

AbiStatus SharedData::Space::get(std::string_view key, const base::Clock& clock, std::string& value, uint32_t& cas) {
  const std::lock_guard lock(mutex_);
  const auto found = find(key, clock);
  if (found == entries_.end()) return AbiStatus::NotFound;
  value = found->second.value;
  cas = found->second.cas;
  if (bounds_.evict) touch(found->second);
  return AbiStatus::Ok;
}

AbiStatus SharedData::Space::set(std::string_view key, std::string_view value, const Write& how,
                                 const base::Clock& clock, uint32_t* cas) {
  const std::lock_guard lock(mutex_);
  expire(clock);
  auto found = find(key, clock);
  const bool is_new = found == entries_.end();
  if (is_new ? how.condition == Write::If::Cas : how.condition == Write::If::New) return AbiStatus::CasMismatch;
  if (!is_new && how.cas != 0 && how.cas != found->second.cas) return AbiStatus::CasMismatch;
  const size_t before = is_new ? 0 : base::EntryBudget::costOf(key, found->second.value);
  if (!makeRoom(key, before, base::EntryBudget::costOf(key, value), how.most_bytes)) return AbiStatus::InternalFailure;
  if (is_new) {
    found = entries_.emplace(std::string(key), Entry()).first;
    found->second.place = used_.insert(used_.begin(), found->first);
  }
  Entry& entry = found->second;
  entry.value = value;
  entry.cas = next_cas_++;
  if (next_cas_ == 0) next_cas_ = 1;  // 0 means "no cas".
  if (cas != nullptr) *cas = entry.cas;
  touch(entry);
  live(found, how.life == base::Duration() ? base::MonotonicTime::max() : clock.monotonic() + how.life);
  return AbiStatus::Ok;
}

AbiStatus SharedData::Space::erase(std::string_view key, uint32_t cas, const base::Clock& clock) {
  const std::lock_guard lock(mutex_);
  const auto found = find(key, clock);
  if (found == entries_.end()) return AbiStatus::NotFound;
  if (cas != 0 && cas != found->second.cas) return AbiStatus::CasMismatch;
  drop(found);
  return AbiStatus::Ok;
}

SharedData::List SharedData::Space::list(std::string_view prefix, std::string_view after, size_t most,
                                         const base::Clock& clock) {
  const std::lock_guard lock(mutex_);
  expire(clock);
  List list;
  size_t bytes = 0;
  auto at = after.empty() || after < prefix ? entries_.lower_bound(prefix) : entries_.upper_bound(after);
  for (; at != entries_.end() && at->first.starts_with(prefix); ++at) {
    const Entry& entry = at->second;
    const base::Duration left = leftOf(entry, clock);
    if (ends(entry) && left <= base::Duration()) continue;
    bytes += at->first.size();
    list.more =
        list.entries.size() >= std::min(most, kMostListed) || (bytes > kMostListedBytes && !list.entries.empty());
    if (list.more) break;
    list.entries.push_back({at->first, entry.cas, entry.value.size(), left});
  }
  return list;
}

SharedData::Use SharedData::Space::use(const base::Clock& clock) {
  const std::lock_guard lock(mutex_);
  expire(clock);
  return {budget_.used(), entries_.size(), evicted_, expired_};
}

// --- Under the lock ---

SharedData::Space::Entries::iterator SharedData::Space::find(std::string_view key, const base::Clock& clock) {
  const auto found = entries_.find(key);
  if (found == entries_.end() || !ends(found->second)) return found;
  if (leftOf(found->second, clock) > base::Duration()) return found;
  ++expired_;
  drop(found);
  return entries_.end();
}

bool SharedData::Space::makeRoom(std::string_view key, size_t before, size_t after, size_t most_bytes) {
  const size_t most = std::min(most_bytes, bounds_.bytes);
  size_t dropped = 0;
  const auto evict = [&] {
    if (!bounds_.evict || after > most || dropped++ == kMostDropped) return false;
    const auto last = used_.empty() || used_.back() != key ? used_.rbegin() : std::next(used_.rbegin());
    if (last == used_.rend()) return false;
    ++evicted_;
    drop(entries_.find(*last));
    return true;
  };
  while (before == 0 && entries_.size() >= bounds_.entries) {
    if (!evict()) return false;
  }
  while (!budget_.replace(before, after, most)) {
    if (!evict()) return false;
  }
  return true;
}

void SharedData::Space::live(Entries::iterator at, base::MonotonicTime end) {
  if (ends(at->second)) ends_.erase({at->second.end, at->first});
  at->second.end = end;
  if (ends(at->second)) ends_.emplace(end, at->first);
}

void SharedData::Space::expire(const base::Clock& clock) {
  if (ends_.empty()) return;
  const base::MonotonicTime now = clock.monotonic();
  for (size_t i = 0; i < kMostDropped && !ends_.empty() && ends_.begin()->first <= now; ++i) {
    ++expired_;
    drop(entries_.find(ends_.begin()->second));
  }
}

void SharedData::Space::drop(Entries::iterator at) {
  budget_.replace(base::EntryBudget::costOf(at->first, at->second.value), 0, SIZE_MAX);
  live(at, base::MonotonicTime::max());
  used_.erase(at->second.place);
  entries_.erase(at);
}

std::shared_ptr<SharedData::Space> SharedData::space(const std::string& vm_id) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<Space>& place = spaces_[vm_id];
  std::shared_ptr<Space> space = place.lock();
  if (space == nullptr) {
    space = std::make_shared<Space>();
    place = space;
  }
  return space;
}

}  // namespace weir::proxy_wasm
