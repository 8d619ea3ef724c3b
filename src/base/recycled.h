// Memory for objects that are made and gone with every request: kept by the thread that frees it, for the next request,
// so that in the steady state none of them costs an allocation.
//
//   class Exchange final : public base::Recycled { ... };
//   std::vector<Stage, base::RecyclingAllocator<Stage>> stages_;
//
// By size, in steps of kStep bytes up to kLargest; what is larger comes from the allocator as ever. A thread keeps
// kKeptOfSize pieces of a size at most. Under AddressSanitizer nothing is kept: it is to see each object's end.
#pragma once

#include <cstddef>
#include <new>

namespace weir::base {

class Recycled {
 public:
  static constexpr size_t kStep = 64;
  static constexpr size_t kLargest = 4096;
  static constexpr size_t kKeptOfSize = 64;

  static void* take(size_t bytes);
  // bytes: as it was taken.
  static void give(void* memory, size_t bytes) noexcept;

  static void* operator new(size_t bytes) { return take(bytes); }
  static void operator delete(void* memory, size_t bytes) noexcept { give(memory, bytes); }
};

template <typename T>
struct RecyclingAllocator {
  using value_type = T;

  RecyclingAllocator() = default;
  template <typename U>
  RecyclingAllocator(const RecyclingAllocator<U>&) noexcept {}  // NOLINT: implicit, as the standard has it.

  T* allocate(size_t count) { return static_cast<T*>(Recycled::take(count * sizeof(T))); }
  void deallocate(T* memory, size_t count) noexcept { Recycled::give(memory, count * sizeof(T)); }
  bool operator==(const RecyclingAllocator&) const { return true; }
};

}  // namespace weir::base
