#include "base/buffer.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace weir::base {
namespace {

// Fewer bytes than this are copied in any case when buffers are joined: a slab and an iovec cost more.
constexpr size_t kCopyBelow = 512;

// Free slabs that a thread keeps at most (1 MiB): enough for a burst, little enough to forget.
constexpr size_t kMaxFreeSlabs = 64;
// So that threads seldom meet at the common count.
constexpr size_t kFreedAtATime = 64;

}  // namespace

struct SlabPool {
  static constexpr size_t kAllocation = sizeof(BufferChain::Slab) + BufferChain::kSlabBytes + BufferChain::kTailBytes;
  ~SlabPool() {
    while (free != nullptr) std::free(std::exchange(free, free->next));
  }
  BufferChain::Slab* free = nullptr;
  size_t count = 0;
  size_t freed = 0;
};

namespace {
thread_local SlabPool pool;
std::atomic<uint64_t> given_back{0};
}  // namespace

uint64_t BufferChain::bytesGivenBack() { return given_back.load(std::memory_order_relaxed); }

BufferChain::Slab* BufferChain::take() {
  Slab* slab = pool.free;
  if (slab != nullptr) {
    pool.free = slab->next;
    --pool.count;
  } else {
    slab = static_cast<Slab*>(std::malloc(SlabPool::kAllocation));
    CHECK(slab != nullptr);
  }
  slab->next = nullptr;
  slab->begin = slab->end = 0;
  return slab;
}

void BufferChain::give(Slab* slab) {
  if (pool.count >= kMaxFreeSlabs) {
    std::free(slab);
    if (++pool.freed % kFreedAtATime == 0)
      given_back.fetch_add(kFreedAtATime * SlabPool::kAllocation, std::memory_order_relaxed);
    return;
  }
  slab->next = pool.free;
  pool.free = slab;
  ++pool.count;
}

BufferChain::BufferChain(BufferChain&& other) noexcept
    : first_(std::exchange(other.first_, nullptr)),
      last_(std::exchange(other.last_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

BufferChain& BufferChain::operator=(BufferChain&& other) noexcept {
  if (this == &other) return *this;
  clear();
  first_ = std::exchange(other.first_, nullptr);
  last_ = std::exchange(other.last_, nullptr);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

void BufferChain::pushBack(Slab* slab) {
  (last_ == nullptr ? first_ : last_->next) = slab;
  slab->before = last_;
  last_ = slab;
}

void BufferChain::pushFront(Slab* slab) {
  slab->next = first_;
  (first_ == nullptr ? last_ : first_->before) = slab;
  first_ = slab;
}

void BufferChain::popFront() {
  Slab* slab = first_;
  first_ = slab->next;
  if (first_ == nullptr) last_ = nullptr;
  give(slab);
}

void BufferChain::popBack() {
  if (first_ == last_) return popFront();
  Slab* slab = std::exchange(last_, last_->before);
  last_->next = nullptr;
  give(slab);
}

void BufferChain::clear() {
  while (first_ != nullptr) popFront();
  size_ = 0;
}

std::span<char> BufferChain::reserve(size_t wanted) {
  wanted = std::min(wanted, kSlabBytes);
  if (last_ == nullptr || last_->end + wanted > kSlabBytes) pushBack(take());
  return {last_->data() + last_->end, kSlabBytes - last_->end};
}

// A few bytes may lie in the last slab's tail, many may not: it is kept for those that frame them.
std::span<char> BufferChain::roomFor(size_t wanted) {
  const bool in_tail = last_ != nullptr && wanted <= kTailBytes && last_->end + wanted <= kSlabBytes + kTailBytes;
  return in_tail ? std::span(last_->data() + last_->end, wanted) : reserve(1);
}

void BufferChain::commit(size_t written) {
  CHECK(last_ != nullptr && last_->end + written <= kSlabBytes);
  last_->end += static_cast<uint32_t>(written);
  size_ += written;
  if (size_ == 0) clear();  // Nothing came: the slab goes back.
}

void BufferChain::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::span<char> room = roomFor(bytes.size());
    const size_t count = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), count);
    last_->end += static_cast<uint32_t>(count);
    size_ += count;
    bytes.remove_prefix(count);
  }
}

void BufferChain::prepend(std::string_view bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    if (first_ == nullptr || first_->begin == 0) {
      Slab* slab = take();
      slab->begin = slab->end = kSlabBytes;  // Filled from its end, so that more can go before it.
      pushFront(slab);
    }
    const size_t count = std::min<size_t>(first_->begin, bytes.size());
    first_->begin -= static_cast<uint32_t>(count);
    std::memcpy(first_->data() + first_->begin, bytes.data() + bytes.size() - count, count);
    bytes.remove_suffix(count);
  }
}

void BufferChain::append(BufferChain& other) { appendFrom(other, other.size_); }

void BufferChain::appendFrom(BufferChain& other, size_t count) {
  CHECK(this != &other);
  count = std::min(count, other.size_);
  while (count > 0) {
    Slab* slab = other.first_;
    const std::string_view held = slab->view();
    if (held.size() > count) {
      append(held.substr(0, count));
      return other.drain(count);
    }
    count -= held.size();
    if (appendSmaller(held))
      other.drain(held.size());
    else
      takeSlab(other.unlinkFront());
  }
}

// Into the last slab if they fit there and it holds no less: so two neighbours hold more than one slab could, or cost
// no more to leave than to join.
bool BufferChain::appendSmaller(std::string_view bytes) {
  if (last_ == nullptr || last_->end + bytes.size() > kSlabBytes) return false;
  if (bytes.size() >= kCopyBelow && bytes.size() > last_->view().size()) return false;
  append(bytes);
  return true;
}

// What little the last slab holds goes before slab's bytes, where there is room: both were one slab when they were
// received, and the size of a chunk stood between them.
void BufferChain::takeSlab(Slab* slab) {
  const std::string_view held = last_ != nullptr ? last_->view() : std::string_view();
  const size_t taken = slab->view().size();
  size_ += taken;
  if (!held.empty() && held.size() <= std::min<size_t>(slab->begin, taken)) {
    slab->begin -= static_cast<uint32_t>(held.size());
    std::memcpy(slab->data() + slab->begin, held.data(), held.size());
    popBack();
  }
  pushBack(slab);
}

BufferChain::Slab* BufferChain::unlinkFront() {
  Slab* slab = first_;
  first_ = std::exchange(slab->next, nullptr);
  if (first_ == nullptr) last_ = nullptr;
  size_ -= slab->view().size();
  return slab;
}

void BufferChain::drain(size_t count) {
  count = std::min(count, size_);
  size_ -= count;
  while (first_ != nullptr) {
    const size_t held = first_->end - first_->begin;
    if (held > count) {
      first_->begin += static_cast<uint32_t>(count);
      return;
    }
    count -= held;
    popFront();
    if (count == 0 && size_ > 0) return;
  }
}

std::string_view BufferChain::front() const {
  for (const Slab* slab = first_; slab != nullptr; slab = slab->next) {
    if (slab->begin != slab->end) return {slab->data() + slab->begin, slab->end - slab->begin};
  }
  return {};
}

std::string_view BufferChain::linearize(size_t count) {
  count = std::min(count, size_);
  CHECK(count <= kSlabBytes);
  if (front().size() >= count) return front().substr(0, count);
  Slab* gathered = take();
  copyTo({gathered->data(), count}, 0);
  gathered->end = static_cast<uint32_t>(count);
  drain(count);
  pushFront(gathered);
  size_ += count;
  return {gathered->data(), count};
}

int BufferChain::gather(iovec* out, int max) const {
  int used = 0;
  for (Slab* slab = first_; slab != nullptr && used < max; slab = slab->next) {
    if (slab->begin == slab->end) continue;
    out[used++] = {slab->data() + slab->begin, slab->end - slab->begin};
  }
  return used;
}

void BufferChain::copyTo(std::span<char> out, size_t offset) const {
  CHECK(offset + out.size() <= size_);
  for (const Slab* slab = first_; !out.empty(); slab = slab->next) {
    const size_t held = slab->end - slab->begin;
    if (offset >= held) {
      offset -= held;
      continue;
    }
    const size_t count = std::min(held - offset, out.size());
    std::memcpy(out.data(), slab->data() + slab->begin + offset, count);
    out = out.subspan(count);
    offset = 0;
  }
}

std::string BufferChain::toString() const {
  std::string out(size_, '\0');
  copyTo(out, 0);
  return out;
}

}  // namespace weir::base
