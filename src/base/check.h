// CHECK stops the program at the line that noticed a broken invariant of our own.
//
// It stays on in release builds. Never CHECK what a peer, a configuration or a plugin can cause: that is an Error.
#pragma once

#define CHECK(condition)                                                                              \
  do {                                                                                                \
    if (__builtin_expect(!(condition), 0)) ::weir::base::checkFailed(__FILE__, __LINE__, #condition); \
  } while (false)

namespace weir::base {

// Prints file, line and condition to standard error and aborts.
[[noreturn]] void checkFailed(const char* file, int line, const char* condition);

}  // namespace weir::base
