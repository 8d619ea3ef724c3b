// Reads what a Source names. For the sources of this folder only.
#pragma once

#include "base/result.h"
#include "tls/spec.h"

namespace weir::tls {

// Larger files are no certificates. The system's bundle of roots is about 200 KB.
constexpr size_t kLargestFile = 8 * 1024 * 1024;

// Blocks on the file; an empty Source reads as empty. Errors are the operator's: "cannot read '<file>': <why>".
base::Result<std::string> read(const Source& source);

}  // namespace weir::tls
