#include <sys/random.h>

#include <cerrno>

#include "base/check.h"
#include "base/clock.h"
#include "base/random.h"

namespace weir::base {
namespace {

class SystemClock final : public Clock {
 public:
  MonotonicTime monotonic() const override { return std::chrono::steady_clock::now(); }
  WallTime wall() const override { return std::chrono::system_clock::now(); }
};

uint64_t rotateLeft(uint64_t value, int by) { return (value << by) | (value >> (64 - by)); }

}  // namespace

const Clock& systemClock() {
  static const SystemClock clock;
  return clock;
}

void secureRandom(std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    CHECK(got > 0);  // The system's generator does not fail once it is seeded.
    out = out.subspan(static_cast<size_t>(got));
  }
}

FastRandom::FastRandom() {
  secureRandom(std::as_writable_bytes(std::span(state_)));
  state_[0] |= 1;  // The generator must not start at zero.
}

// xoroshiro128+ (Blackman and Vigna).
uint64_t FastRandom::next() {
  const uint64_t a = state_[0];
  uint64_t b = state_[1];
  const uint64_t result = a + b;
  b ^= a;
  state_[0] = rotateLeft(a, 24) ^ b ^ (b << 16);
  state_[1] = rotateLeft(b, 37);
  return result;
}

std::string uuid4(Random& random) {
  static constexpr char kHex[] = "0123456789abcdef";
  uint64_t high = (random.next() & ~0xf000ull) | 0x4000ull;             // version 4
  uint64_t low = (random.next() & ~(0xc0ull << 56)) | (0x80ull << 56);  // variant 10
  std::string out(36, '-');
  auto write = [&](uint64_t value, std::initializer_list<int> positions) {
    for (const int position : positions) {
      out[position] = kHex[value >> 60];
      value <<= 4;
    }
  };
  write(high, {0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 16, 17});
  write(low, {19, 20, 21, 22, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35});
  return out;
}

}  // namespace weir::base
