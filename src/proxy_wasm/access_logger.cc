#include "proxy_wasm/access_logger.h"

namespace weir::proxy_wasm {
namespace {

struct LoadedLogger final : access_log::SharedSink {
  explicit LoadedLogger(std::shared_ptr<const LoadedPlugin> loaded) : plugin(std::move(loaded)) {}
  const std::shared_ptr<const LoadedPlugin> plugin;
};

}  // namespace

base::Result<std::shared_ptr<const access_log::SharedSink>> LoggerLoader::load(const access_log::SinkConfig& config) {
  auto plugin = host_->load(static_cast<const AccessLoggerConfig&>(config).plugin);
  if (!plugin.ok()) return std::move(plugin).error();
  return std::shared_ptr<const access_log::SharedSink>(std::make_shared<const LoadedLogger>(*std::move(plugin)));
}

std::shared_ptr<access_log::Sink> LoggerOpener::open(const access_log::SharedSink& shared) {
  return plugins_.createLogger(static_cast<const LoadedLogger&>(shared).plugin);
}

}  // namespace weir::proxy_wasm
