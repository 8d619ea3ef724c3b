// The host functions, one group per source file. Each function's meaning is the ABI's; what is told here is where they
// stand. Statuses are those of docs/abi.md.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "proxy_wasm/host_function.h"

namespace weir::proxy_wasm {

std::vector<HostFunctionEntry> headerFunctions();       // host_headers.cc
std::vector<HostFunctionEntry> bufferFunctions();       // host_buffers.cc
std::vector<HostFunctionEntry> streamFunctions();       // host_stream.cc
std::vector<HostFunctionEntry> propertyFunctions();     // host_properties.cc
std::vector<HostFunctionEntry> sharedDataFunctions();   // host_shared_data.cc
std::vector<HostFunctionEntry> sharedQueueFunctions();  // host_shared_queues.cc
std::vector<HostFunctionEntry> metricFunctions();       // host_metrics.cc
std::vector<HostFunctionEntry> callFunctions();         // host_call.cc
std::vector<HostFunctionEntry> grpcFunctions();         // host_grpc.cc
std::vector<HostFunctionEntry> foreignFunctions();      // host_foreign.cc
std::vector<HostFunctionEntry> dnsFunctions();          // host_dns.cc
std::vector<HostFunctionEntry> redisFunctions();        // host_redis.cc: Higress' own
std::vector<HostFunctionEntry> upstreamFunctions();     // host_upstream.cc: Higress' own
std::vector<HostFunctionEntry> generalFunctions();      // host_general.cc: log, time, ticks, contexts
std::vector<HostFunctionEntry> wasiFunctions();         // wasi.cc and wasi_files.cc, as "wasi_snapshot_preview1.x"
std::vector<HostFunctionEntry> wasiFileFunctions();

// Each of them once, by name; those of WASI under one of their two modules.
std::vector<HostFunctionEntry> allHostFunctions();

// Every function that a module imports, found in the host by module and name. Functions that `allowed` does not name
// are replaced by ones that log and refuse (abi.md 1.8), those that there are not by ones in which the guest dies.
// Error (side Operator): all that is of another type, or missing and no function that could be called; not only the
// first.
base::Result<ResolvedImports> resolveImports(const wasm::Module& module,
                                             const std::optional<std::vector<std::string>>& allowed);

}  // namespace weir::proxy_wasm
