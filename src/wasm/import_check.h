// Finds the host function for each import of a module, or says which imports have none.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "wasm/instance.h"

namespace weir::wasm {

// For each function import, in order, the index of its host function. Memories and tables need none: the
// instance makes them. Imported globals are refused. Error (side Operator) in Envoy's words for the first import that
// does not fit, then the names of the others.
base::Result<std::vector<size_t>> findHostFunctions(const Module& module, std::span<const HostImport> host);

}  // namespace weir::wasm
