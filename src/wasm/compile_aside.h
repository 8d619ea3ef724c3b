// Compiles a module in a process of its own, so that one that is made to be expensive costs that process alone: it may
// use so much processor time and so much memory, and is gone afterwards (docs/budgets.md has what a small module can
// cost).
//
// The child is a program of ours that is told to by its command line, reads the module from its standard input, and
// writes the serialized code, or what is wrong with the module, to its standard output: compileForParent() is its part.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "wasm/engine.h"

namespace weir::wasm {

// What compiling one module may cost.
struct CompileLimits {
  base::Duration cpu_time = std::chrono::seconds(30);
  size_t memory_bytes = size_t{2} << 30;  // Address space.
};

// The compiling processes of an engine. command: the program and its first arguments; empty: modules are compiled in
// this process, without limits.
struct CompileAside {
  std::vector<std::string> command;
  CompileLimits limits;
};

// As Engine::create(), with modules compiled in processes of their own.
base::Result<std::unique_ptr<Engine>> createEngine(const EngineSettings& settings, CompileAside aside);

// command: the program and its first arguments; the limits follow. Waits for the child, at most some seconds longer
// than twice the time that it may compute. Error (side Operator): what is wrong with the module, or which limit it
// broke; code Io: no child could be started.
base::Result<std::vector<std::byte>> compileAside(const std::vector<std::string>& command,
                                                  std::span<const std::byte> bytes, const CompileLimits& limits);

// The child's part: seconds and megabytes as its arguments have them. The exit code of the process.
int compileForParent(const std::string& seconds, const std::string& megabytes);

}  // namespace weir::wasm
