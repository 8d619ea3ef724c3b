// Makes what all workers share out of the configuration: engine, plugins, routes, counters.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "server/server.h"
#include "server/shared.h"

namespace weir::server {

// Makes engine, plugin host and the clusters' transports. All faults are collected; with any, what is made must not be
// served. loop: the main thread's, on which files are watched; null if the configuration is only judged.
std::vector<base::Error> assemble(config::Bootstrap bootstrap, const Options& options, event::Loop* loop,
                                  Shared& shared);

// Compiles and tries the plugins that serve no stream. When it is known which clusters there are.
std::vector<base::Error> loadServices(Shared& shared);

// Compiles and tries every plugin of a listener, builds every route table. Faults are added to; with any, it must not
// be served. Main thread.
std::shared_ptr<SharedListener> makeListener(const config::ListenerSpec& spec, Shared& shared,
                                             std::vector<base::Error>& faults);

}  // namespace weir::server
