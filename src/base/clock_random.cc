#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstring>

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
  std::string out(kUuidLength, '-');
  putUuid4(random, out.data());
  return out;
}

namespace {

constexpr auto kHexPairs = [] {
  std::array<char, 512> pairs{};
  for (size_t i = 0; i < 256; ++i) {
    pairs[2 * i] = "0123456789abcdef"[i >> 4];
    pairs[2 * i + 1] = "0123456789abcdef"[i & 0xf];
  }
  return pairs;
}();

// So many bytes of value, from its highest byte but `skipped`.
char* putHex(char* at, uint64_t value, int skipped, int bytes) {
  for (int i = skipped; i < skipped + bytes; ++i, at += 2) {
    std::memcpy(at, &kHexPairs[2 * (value >> (56 - 8 * i) & 0xff)], 2);
  }
  return at;
}

}  // namespace

void putUuid4(Random& random, char* out) {
  const uint64_t high = (random.next() & ~0xf000ull) | 0x4000ull;             // version 4
  const uint64_t low = (random.next() & ~(0xc0ull << 56)) | (0x80ull << 56);  // variant 10
  out = putHex(out, high, 0, 4);
  *out++ = '-';
  out = putHex(out, high, 4, 2);
  *out++ = '-';
  out = putHex(out, high, 6, 2);
  *out++ = '-';
  out = putHex(out, low, 0, 2);
  *out++ = '-';
  putHex(out, low, 2, 6);
}

}  // namespace weir::base
