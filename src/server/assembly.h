// Makes what all workers share out of the configuration: engine, plugins, routes, counters.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "server/server.h"
#include "server/shared.h"

namespace weir::server {

// Compiles and tries every plugin, builds every route table. All faults are collected; with any, what is made must not
// be served.
// loop: the main thread's, on which files are watched; null if the configuration is only judged.
std::vector<base::Error> assemble(config::Bootstrap bootstrap, const Options& options, event::Loop* loop,
                                  Shared& shared);

}  // namespace weir::server
