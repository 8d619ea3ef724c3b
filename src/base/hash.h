// The two hash functions of Envoy's that can be seen from outside: its choices among endpoints are ours when the hashes
// are, and the same version of a configuration shows the same number.
//
// For spreading load, not against an adversary.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::base {

// xxHash, 64 bits (XXH64).
uint64_t xxHash64(std::string_view bytes, uint64_t seed = 0);

// MurmurHash2, 64 bits ("64A"), with the seed that libstdc++'s std::hash has.
uint64_t murmurHash2(std::string_view bytes, uint64_t seed = 0xc70f6907);

}  // namespace weir::base
