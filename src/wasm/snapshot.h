// Modules whose instances begin where another instance had got to, by Wizer:
//
//   instrumented(module) -> compile, instantiate, run what is to be done once -> snapshotOf(module, that instance)
//
// What that gives is compiled as Form::Snapshot. Its instances have the
// memory and the globals as they were; the start section and _initialize are gone from it. Whatever the guest made
// itself of chance and of the time until then, all its instances share.
//
// Native code that the module carries is left out.
// Error (side Operator): the module imports a memory, table or global, or changes tables, of which no snapshot is
// taken. Functions without state; any thread, the instance's own for snapshotOf().
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/result.h"
#include "wasm/instance.h"

namespace weir::wasm {

// The module with exports more, by which snapshotOf() reads its state. Only of what the engine takes: Wizer is not made
// for other bytes.
base::Result<std::vector<std::byte>> instrumented(Engine& engine, std::span<const std::byte> module);

// instance: one of instrumented(module), alive, with no call into it under way.
base::Result<std::vector<std::byte>> snapshotOf(std::span<const std::byte> module, Instance& instance);

}  // namespace weir::wasm
