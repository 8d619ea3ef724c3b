#include "proxy_wasm/service.h"

#include "proxy_wasm/plugin_on_worker.h"

namespace weir::proxy_wasm {

Service::Service(std::shared_ptr<PluginOnWorker> plugin) : plugin_(std::move(plugin)) {}
Service::~Service() = default;

void Service::tellStats(const std::string& report) { plugin_->tellStats(report); }

}  // namespace weir::proxy_wasm
