// Counts what the program asks of the allocator, whoever asks: malloc itself is ours in a program that links this, so
// that C++, C and Rust are all seen.
#pragma once

#include <cstdint>
#include <cstdio>

namespace weir::bench {

struct Allocations {
  uint64_t calls = 0;
  uint64_t bytes = 0;
};

// Of the thread that calls; of the others nothing is counted. Not to be nested. keep_stacks: where each came from is
// kept, too, for writeStacks(); that is slow.
void beginCounting(bool keep_stacks);
Allocations endCounting();

// What was kept, by stack: a line "calls bytes address...", innermost first, addresses as in the program's file.
void writeStacks(std::FILE* to);

}  // namespace weir::bench
