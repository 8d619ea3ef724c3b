// WASI's error numbers, those that this host gives.
#pragma once

#include <cstdint>

namespace weir::proxy_wasm::wasi {

enum Errno : uint32_t {
  kSuccess = 0,
  kBadf = 8,
  kNotdir = 20,
  kFault = 21,
  kInval = 28,
  kNoent = 44,
  kNosys = 52,
  kNotsup = 58,
};

// The only files there are: standard output and standard error, which are the log.
inline bool isLog(uint32_t fd) { return fd == 1 || fd == 2; }

}  // namespace weir::proxy_wasm::wasi
