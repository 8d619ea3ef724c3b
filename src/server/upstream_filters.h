// The filters on the upstream's side (of clusters, or of the router), made ready to be run.
#pragma once

#include <memory>

#include "base/result.h"
#include "exchange/http_manager.h"
#include "proxy_wasm/plugin.h"
#include "proxy_wasm/worker_plugins.h"
#include "upstream/spec.h"

namespace weir::server {

// Loads (compiles and tries) the plugins among filters as they were configured, and puts what useUpstreamFilters()
// takes in their place; nothing happens to what is loaded already, or null. Main thread. Error: the first that cannot
// be.
base::Result<void> loadUpstreamFilters(std::shared_ptr<const upstream::HttpFilters>& filters,
                                       proxy_wasm::PluginHost& plugins);

// What a worker runs of filters that were loaded; null: nothing. On its thread.
exchange::UpstreamFilters useUpstreamFilters(const upstream::HttpFilters* filters, proxy_wasm::WorkerPlugins& plugins);

}  // namespace weir::server
