#include "http/header_map.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"
#include "http/characters.h"

namespace weir::http {
namespace {

// Holds the heads that browsers and services send; the few that are longer take a further block.
constexpr size_t kFirstBlock = 3072;
constexpr size_t kFurtherBlock = 8192;
constexpr size_t kUsualEntries = 32;
// Arenas that a thread keeps for reuse at most: with entries and block some 300 KiB.
constexpr size_t kMaxFreeArenas = 64;

struct Block {
  Block* next;
  char* data() { return reinterpret_cast<char*>(this + 1); }
};

uint64_t bitOf(HeaderId id) { return uint64_t{1} << static_cast<unsigned>(id); }

}  // namespace

struct HeaderMap::Arena {
  Arena* next_free = nullptr;
  std::vector<Entry> spare_entries;  // Lent to the map, for its capacity.
  Block* blocks = nullptr;
  size_t further_bytes = 0;
  char* at = first;
  char* end = first + kFirstBlock;
  char first[kFirstBlock];

  Arena() { spare_entries.reserve(kUsualEntries); }
  ~Arena() { freeBlocks(); }

  void freeBlocks() {
    while (blocks != nullptr) std::free(std::exchange(blocks, blocks->next));
    further_bytes = 0;
  }

  void grow(size_t bytes) {
    const size_t size = std::max(bytes, kFurtherBlock);
    auto* block = static_cast<Block*>(std::malloc(sizeof(Block) + size));
    CHECK(block != nullptr);
    block->next = blocks;
    blocks = block;
    further_bytes += size;
    at = block->data();
    end = at + size;
  }
};

struct HeaderMap::ArenaPool {
  ~ArenaPool() {
    gone = true;
    while (free != nullptr) delete std::exchange(free, free->next_free);
  }
  Arena* free = nullptr;
  size_t count = 0;

  static thread_local ArenaPool of_thread;
  static thread_local bool gone;  // A map with static lifetime may outlive its thread's pool.
};
thread_local HeaderMap::ArenaPool HeaderMap::ArenaPool::of_thread;
thread_local bool HeaderMap::ArenaPool::gone = false;

void HeaderMap::takeArena() {
  ArenaPool& pool = ArenaPool::of_thread;
  if (ArenaPool::gone || pool.free == nullptr) {
    arena_ = new Arena;
  } else {
    arena_ = std::exchange(pool.free, pool.free->next_free);
    --pool.count;
  }
  entries_.swap(arena_->spare_entries);
}

void HeaderMap::giveArena() {
  if (arena_ == nullptr) return;
  Arena* arena = std::exchange(arena_, nullptr);
  entries_.clear();
  entries_.swap(arena->spare_entries);
  ArenaPool& pool = ArenaPool::of_thread;
  const bool usual = arena->spare_entries.capacity() <= 4 * kUsualEntries;
  if (ArenaPool::gone || pool.count >= kMaxFreeArenas || !usual) {
    delete arena;
    return;
  }
  arena->freeBlocks();
  arena->at = arena->first;
  arena->end = arena->first + kFirstBlock;
  arena->next_free = std::exchange(pool.free, arena);
  ++pool.count;
}

HeaderMap::HeaderMap() = default;

HeaderMap::~HeaderMap() { giveArena(); }

HeaderMap::HeaderMap(HeaderMap&& other) noexcept
    : entries_(std::move(other.entries_)),
      bytes_(std::exchange(other.bytes_, 0)),
      present_(std::exchange(other.present_, 0)),
      arena_(std::exchange(other.arena_, nullptr)) {
  other.entries_.clear();
}

HeaderMap& HeaderMap::operator=(HeaderMap&& other) noexcept {
  if (this == &other) return *this;
  giveArena();
  entries_ = std::move(other.entries_);
  other.entries_.clear();
  bytes_ = std::exchange(other.bytes_, 0);
  present_ = std::exchange(other.present_, 0);
  arena_ = std::exchange(other.arena_, nullptr);
  return *this;
}

HeaderMap HeaderMap::clone() const {
  HeaderMap copy;
  if (entries_.empty()) return copy;
  char* at = copy.allocate(bytes_);
  const auto copied = [&at](std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    return std::string_view(std::exchange(at, at + bytes.size()), bytes.size());
  };
  copy.entries_.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    const std::string_view name =
        entry.id == HeaderId::Unknown ? copied(entry.name) : std::string_view(wellKnownName(entry.id));
    copy.entries_.push_back({name, copied(entry.value), entry.id, entry.checked});
  }
  copy.bytes_ = bytes_;
  copy.present_ = present_;
  return copy;
}

char* HeaderMap::allocate(size_t bytes) {
  if (arena_ == nullptr) takeArena();
  if (static_cast<size_t>(arena_->end - arena_->at) < bytes) arena_->grow(bytes);
  return std::exchange(arena_->at, arena_->at + bytes);
}

size_t HeaderMap::footprint() const {
  return arena_ == nullptr ? 0 : kFirstBlock + arena_->further_bytes + entries_.capacity() * sizeof(Entry);
}

std::string_view HeaderMap::store(std::string_view bytes) {
  if (bytes.empty()) return {};
  char* to = allocate(bytes.size());
  std::memcpy(to, bytes.data(), bytes.size());
  return {to, bytes.size()};
}

std::string_view HeaderMap::storeLowerCase(std::string_view bytes) {
  char* to = allocate(bytes.size());
  std::transform(bytes.begin(), bytes.end(), to, toLower);
  return {to, bytes.size()};
}

void HeaderMap::append(const Entry& entry) {
  bytes_ += entry.name.size() + entry.value.size();
  present_ |= bitOf(entry.id);
  if (!isPseudo(entry.name) || entries_.empty() || isPseudo(entries_.back().name)) {
    entries_.push_back(entry);
    return;
  }
  const auto regular =
      std::find_if_not(entries_.begin(), entries_.end(), [](const Entry& e) { return isPseudo(e.name); });
  entries_.insert(regular, entry);
}

void HeaderMap::add(std::string_view name, std::string_view value) {
  const HeaderId id = wellKnownId(name);
  if (id == HeaderId::Unknown) return addUnknown(name, value);
  // The value may be a view into this very map: the arena never moves, so storing is safe.
  if (arena_ == nullptr) takeArena();
  append({wellKnownName(id), store(value), id, false});
}

void HeaderMap::addUnknown(std::string_view name, std::string_view value) {
  if (arena_ == nullptr) takeArena();
  append({storeLowerCase(name), store(value), HeaderId::Unknown, false});
}

void HeaderMap::add(HeaderId id, std::string_view value) {
  CHECK(id != HeaderId::Unknown && id != HeaderId::kCount);
  if (arena_ == nullptr) takeArena();
  append({wellKnownName(id), store(value), id, false});
}

void HeaderMap::addChecked(HeaderId id, std::string_view value) { addStored(id, wellKnownName(id), store(value)); }

void HeaderMap::setChecked(HeaderId id, std::string_view value) {
  remove(id);
  addChecked(id, value);
}

void HeaderMap::addStored(HeaderId id, std::string_view name, std::string_view value) {
  if (arena_ == nullptr) takeArena();
  append({name, value, id, true});
}

void HeaderMap::replaceStored(size_t index, std::string_view value) {
  Entry& entry = entries_[index];
  bytes_ += value.size() - entry.value.size();
  entry.value = value;
}

void HeaderMap::set(std::string_view name, std::string_view value) {
  const HeaderId id = wellKnownId(name);
  if (id != HeaderId::Unknown) return set(id, value);
  // Views stay valid after removal, so name and value may come from the entries that go.
  removeUnknown(name);
  addUnknown(name, value);
}

void HeaderMap::set(HeaderId id, std::string_view value) {
  remove(id);
  add(id, value);
}

template <typename Matches>
size_t HeaderMap::removeIf(Matches matches) {
  size_t kept = 0;
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (matches(entries_[i])) {
      bytes_ -= entries_[i].name.size() + entries_[i].value.size();
      continue;
    }
    if (kept != i) entries_[kept] = entries_[i];
    ++kept;
  }
  const size_t gone = entries_.size() - kept;
  entries_.resize(kept);
  return gone;
}

size_t HeaderMap::remove(std::string_view name) {
  const HeaderId id = wellKnownId(name);
  return id != HeaderId::Unknown ? remove(id) : removeUnknown(name);
}

size_t HeaderMap::removeUnknown(std::string_view name) {
  const auto matches = [name](const Entry& e) { return e.id == HeaderId::Unknown && equalsIgnoreCase(e.name, name); };
  // Usually there is none, and then nothing is to be moved.
  if (std::none_of(entries_.begin(), entries_.end(), matches)) return 0;
  return removeIf(matches);
}

size_t HeaderMap::remove(HeaderId id) {
  if (!has(id)) return 0;
  present_ &= ~bitOf(id);
  return removeIf([id](const Entry& e) { return e.id == id; });
}

void HeaderMap::clear() {
  giveArena();
  bytes_ = 0;
  present_ = 0;
}

bool HeaderMap::has(HeaderId id) const { return id != HeaderId::Unknown && (present_ & bitOf(id)) != 0; }

std::optional<std::string_view> HeaderMap::get(HeaderId id) const {
  if (!has(id)) return std::nullopt;
  for (const Entry& entry : entries_) {
    if (entry.id == id) return entry.value;
  }
  return std::nullopt;
}

std::optional<std::string_view> HeaderMap::get(std::string_view name) const {
  const HeaderId id = wellKnownId(name);
  if (id != HeaderId::Unknown) return get(id);
  for (const Entry& entry : entries_) {
    if (entry.id == HeaderId::Unknown && equalsIgnoreCase(entry.name, name)) return entry.value;
  }
  return std::nullopt;
}

std::optional<std::string_view> HeaderMap::joined(std::string_view name, std::string& storage) const {
  const HeaderId id = wellKnownId(name);
  std::optional<std::string_view> first;
  bool several = false;
  for (const Entry& entry : entries_) {
    if (entry.id != id || (id == HeaderId::Unknown && !equalsIgnoreCase(entry.name, name))) continue;
    if (!first) {
      first = entry.value;
      continue;
    }
    if (!several) storage.assign(*first);
    several = true;
    storage.append(1, ',').append(entry.value);
  }
  return several ? std::string_view(storage) : first;
}

}  // namespace weir::http
