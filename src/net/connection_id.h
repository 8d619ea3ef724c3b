// Numbers for connections, of clients and upstreams alike, so that [C17] means one connection in log and access log.
#pragma once

#include <atomic>
#include <cstdint>

namespace weir::net {

// From 1, unique within the process. Thread-safe.
inline uint64_t nextConnectionId() {
  static std::atomic<uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace weir::net
