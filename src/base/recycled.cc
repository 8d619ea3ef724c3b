#include "base/recycled.h"

#include <array>
#include <cstdint>
#include <utility>

#include "base/sanitizers.h"

namespace weir::base {
namespace {

constexpr size_t kSizes = Recycled::kLargest / Recycled::kStep;

struct Piece {
  Piece* next;
};

struct Kept {
  ~Kept();
  std::array<Piece*, kSizes> pieces{};
  std::array<uint16_t, kSizes> count{};
};

thread_local Kept kept;
thread_local bool gone = false;  // Objects with static lifetime may outlive what their thread keeps.

Kept::~Kept() {
  gone = true;
  for (Piece*& first : pieces) {
    while (first != nullptr) ::operator delete(std::exchange(first, first->next));
  }
}

// Of whole steps, from 0; nothing takes a step, too.
size_t placeOf(size_t bytes) { return bytes == 0 ? 0 : (bytes - 1) / Recycled::kStep; }

constexpr bool kKeeps = !kAddressSanitizer;

}  // namespace

void* Recycled::take(size_t bytes) {
  const size_t place = placeOf(bytes);
  if (!kKeeps || place >= kSizes) return ::operator new(bytes);
  Piece* const piece = gone ? nullptr : kept.pieces[place];
  if (piece == nullptr) return ::operator new((place + 1) * kStep);  // Whole steps: whichever thread keeps it.
  kept.pieces[place] = piece->next;
  --kept.count[place];
  return piece;
}

void Recycled::give(void* memory, size_t bytes) noexcept {
  if (memory == nullptr) return;
  const size_t place = placeOf(bytes);
  if (!kKeeps || place >= kSizes || gone || kept.count[place] >= kKeptOfSize) return ::operator delete(memory);
  auto* const piece = static_cast<Piece*>(memory);
  piece->next = kept.pieces[place];
  kept.pieces[place] = piece;
  ++kept.count[place];
}

}  // namespace weir::base
