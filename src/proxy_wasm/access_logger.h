// A plugin as an access logger: proxy_on_log of its root context for every entry that its log's filter lets pass.
#pragma once

#include <memory>
#include <utility>

#include "access_log/sink.h"
#include "proxy_wasm/plugin.h"
#include "proxy_wasm/worker_plugins.h"

namespace weir::proxy_wasm {

// What access_log::LogSpec holds for a plugin.
struct AccessLoggerConfig final : access_log::SinkConfig {
  explicit AccessLoggerConfig(PluginSpec spec) : plugin(std::move(spec)) {}
  const PluginSpec plugin;
};

// Plugins are the only loggers that are no files: what these two are given is theirs.
class LoggerLoader final : public access_log::SinkLoader {
 public:
  // host: null if no plugin can be loaded; then none must be asked for.
  explicit LoggerLoader(PluginHost* host) : host_(host) {}
  base::Result<std::shared_ptr<const access_log::SharedSink>> load(const access_log::SinkConfig& config) override;

 private:
  PluginHost* const host_;
};

class LoggerOpener final : public access_log::SinkOpener {
 public:
  explicit LoggerOpener(WorkerPlugins& plugins) : plugins_(plugins) {}
  std::shared_ptr<access_log::Sink> open(const access_log::SharedSink& shared) override;

 private:
  WorkerPlugins& plugins_;
};

}  // namespace weir::proxy_wasm
