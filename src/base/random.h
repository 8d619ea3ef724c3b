// Randomness as an interface: what needs chance gets a Random in its constructor, so that tests can fix it.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace weir::base {

// One per worker; not thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t next() = 0;
  // Uniform in [0, bound); bound must not be 0.
  uint64_t below(uint64_t bound) { return next() % bound; }
};

// Fast and unpredictable enough for load balancing and request ids; seeded from the system. Not for keys.
class FastRandom final : public Random {
 public:
  FastRandom();
  explicit FastRandom(uint64_t seed) : state_{seed, seed ^ 0x9e3779b97f4a7c15ull} {}
  uint64_t next() override;

 private:
  uint64_t state_[2];
};

// Fills with bytes from the system's generator: for keys, and for a guest that asks for randomness.
void secureRandom(std::span<std::byte> out);

// A version 4 UUID in its 36-character form (RFC 9562 5.4).
std::string uuid4(Random& random);
// The same, written to where kUuidLength bytes have room.
inline constexpr size_t kUuidLength = 36;
void putUuid4(Random& random, char* out);

}  // namespace weir::base
