#include "allocations.h"

#include <execinfo.h>
#include <link.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

// The C library's own, under the names that it keeps for who replaces malloc.
extern "C" {
void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* old, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);
}

namespace weir::bench {
namespace {

constexpr int kFrames = 48;
constexpr int kOwnFrames = 2;  // note() and malloc().
constexpr size_t kStacks = 8192;

struct Stack {
  uint64_t calls = 0;
  uint64_t bytes = 0;
  int frames = 0;
  void* frame[kFrames] = {};
};

thread_local bool counting = false;
bool with_stacks = false;
Allocations counted;
Stack stacks[kStacks];  // By hash, open addressing; what finds no place is left out.

void keepStack(size_t bytes) {
  void* frame[kFrames];
  const int frames = backtrace(frame, kFrames);
  uint64_t hash = 0;
  for (int i = 0; i < frames; ++i) hash = hash * 0x9e3779b97f4a7c15 + reinterpret_cast<uintptr_t>(frame[i]);
  for (size_t probe = 0; probe < kStacks; ++probe) {
    Stack& stack = stacks[((hash >> 20) + probe) % kStacks];
    if (stack.frames == 0) {
      std::copy_n(frame, frames, stack.frame);
      stack.frames = frames;
    }
    if (stack.frames != frames || !std::equal(frame, frame + frames, stack.frame)) continue;
    ++stack.calls;
    stack.bytes += bytes;
    return;
  }
}

[[gnu::noinline]] void note(size_t bytes) {
  if (!counting) [[likely]]
    return;
  ++counted.calls;
  counted.bytes += bytes;
  if (!with_stacks) return;
  counting = false;  // What unwinding allocates is not the program's.
  keepStack(bytes);
  counting = true;
}

// Where the program itself was loaded.
uintptr_t programBase() {
  uintptr_t base = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* out) { return *static_cast<uintptr_t*>(out) = info->dlpi_addr, 1; }, &base);
  return base;
}

}  // namespace

void beginCounting(bool keep_stacks) {
  counted = {};
  with_stacks = keep_stacks;
  counting = true;
}

Allocations endCounting() {
  counting = false;
  return counted;
}

void writeStacks(std::FILE* to) {
  const uintptr_t base = programBase();
  std::sort(stacks, stacks + kStacks, [](const Stack& a, const Stack& b) { return a.calls > b.calls; });
  for (const Stack& stack : stacks) {
    if (stack.calls == 0) break;
    std::fprintf(to, "%llu %llu", static_cast<unsigned long long>(stack.calls),
                 static_cast<unsigned long long>(stack.bytes));
    for (int i = kOwnFrames; i < stack.frames; ++i) {
      std::fprintf(to, " %#llx", static_cast<unsigned long long>(reinterpret_cast<uintptr_t>(stack.frame[i]) - base));
    }
    std::fputc('\n', to);
  }
}

}  // namespace weir::bench

extern "C" {

void* malloc(size_t bytes) {
  weir::bench::note(bytes);
  return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) {
  weir::bench::note(count * bytes);
  return __libc_calloc(count, bytes);
}
void* realloc(void* old, size_t bytes) {
  weir::bench::note(bytes);
  return __libc_realloc(old, bytes);
}
void* memalign(size_t alignment, size_t bytes) {
  weir::bench::note(bytes);
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  weir::bench::note(bytes);
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** out, size_t alignment, size_t bytes) {
  weir::bench::note(bytes);
  *out = __libc_memalign(alignment, bytes);
  return *out == nullptr ? ENOMEM : 0;
}

}  // extern "C"
