// Base64 as gRPC's metadata wants it: the ordinary alphabet, padded.
#pragma once

#include <string>
#include <string_view>

namespace weir::base {

std::string toBase64(std::string_view bytes);

}  // namespace weir::base
