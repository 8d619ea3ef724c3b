#include "base/buffer.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace weir::base {
namespace {

// A slab whose bytes number fewer than this is copied rather than linked when buffers are joined: a chain of many
// nearly empty slabs would cost more memory and more iovecs than the copy costs time.
constexpr size_t kCopyBelow = 512;

// Free slabs that a thread keeps at most (1 MiB): enough for a burst, little enough to forget.
constexpr size_t kMaxFreeSlabs = 64;
// So that threads seldom meet at the common count.
constexpr size_t kFreedAtATime = 64;

}  // namespace

struct SlabPool {
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
    slab = static_cast<Slab*>(std::malloc(sizeof(Slab) + kSlabBytes));
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
      given_back.fetch_add(kFreedAtATime * (sizeof(Slab) + kSlabBytes), std::memory_order_relaxed);
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
  last_ = slab;
}

void BufferChain::popFront() {
  Slab* slab = first_;
  first_ = slab->next;
  if (first_ == nullptr) last_ = nullptr;
  give(slab);
}

void BufferChain::clear() {
  while (first_ != nullptr) popFront();
  size_ = 0;
}

std::span<char> BufferChain::reserve(size_t wanted) {
  wanted = std::min(wanted, kSlabBytes);
  if (last_ == nullptr || kSlabBytes - last_->end < wanted) pushBack(take());
  return {last_->data() + last_->end, kSlabBytes - last_->end};
}

void BufferChain::commit(size_t written) {
  CHECK(last_ != nullptr && written <= kSlabBytes - last_->end);
  last_->end += static_cast<uint32_t>(written);
  size_ += written;
  if (size_ == 0) clear();  // Nothing came: the slab goes back.
}

void BufferChain::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::span<char> room = reserve(1);
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
      slab->next = first_;
      first_ = slab;
      if (last_ == nullptr) last_ = slab;
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
    const size_t held = slab->end - slab->begin;
    const bool fits_behind = last_ != nullptr && kSlabBytes - last_->end >= held;
    if (held > count || (held < kCopyBelow && fits_behind)) {
      const size_t copied = std::min(held, count);
      append(std::string_view(slab->data() + slab->begin, copied));
      other.drain(copied);
      count -= copied;
      continue;
    }
    other.first_ = slab->next;
    if (other.first_ == nullptr) other.last_ = nullptr;
    other.size_ -= held;
    slab->next = nullptr;
    pushBack(slab);
    size_ += held;
    count -= held;
  }
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
  gathered->next = first_;
  first_ = gathered;
  if (last_ == nullptr) last_ = gathered;
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
