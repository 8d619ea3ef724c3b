#include "http2/recycled_memory.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

#include "base/recycled.h"

namespace weir::http2 {
namespace {

using base::Recycled;

// Stands before each piece, as nghttp2 does not say how large what it frees is.
struct alignas(std::max_align_t) Head {
  size_t bytes;  // With the head.
};

Head* headOf(void* piece) { return static_cast<Head*>(piece) - 1; }

void* allocate(size_t bytes, void*) {
  if (bytes > SIZE_MAX - sizeof(Head)) return nullptr;
  auto* const head = static_cast<Head*>(Recycled::take(bytes + sizeof(Head)));
  head->bytes = bytes + sizeof(Head);
  return head + 1;
}

void release(void* piece, void*) {
  if (piece != nullptr) Recycled::give(headOf(piece), headOf(piece)->bytes);
}

void* allocateZeroed(size_t count, size_t each, void*) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, each, &bytes)) return nullptr;
  void* const piece = allocate(bytes, nullptr);
  if (piece != nullptr) std::memset(piece, 0, bytes);
  return piece;
}

void* reallocate(void* piece, size_t bytes, void*) {
  if (piece == nullptr) return allocate(bytes, nullptr);
  void* const moved = allocate(bytes, nullptr);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, piece, std::min(bytes, headOf(piece)->bytes - sizeof(Head)));
  release(piece, nullptr);
  return moved;
}

}  // namespace

nghttp2_mem recycledMemory() { return {nullptr, allocate, release, allocateZeroed, reallocate}; }

}  // namespace weir::http2
