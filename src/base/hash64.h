// xxHash's 64-bit form (XXH64, seed 0 unless given): what Envoy hashes with wherever the value can be seen, so that the
// same key lands on the same endpoint and the same version shows the same number.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::base {

uint64_t hash64(std::string_view bytes, uint64_t seed = 0);

}  // namespace weir::base
