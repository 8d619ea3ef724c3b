#include "proxy_wasm/worker_plugins.h"

#include <algorithm>

#include "base/log.h"
#include "proxy_wasm/plugin_on_worker.h"

namespace weir::proxy_wasm {
namespace {

class PluginFactory final : public filter::FilterFactory {
 public:
  explicit PluginFactory(std::shared_ptr<PluginOnWorker> plugin) : plugin_(std::move(plugin)) {}
  std::unique_ptr<filter::Filter> create() override { return plugin_->create(); }
  const std::string& name() const override { return plugin_->name(); }

 private:
  const std::shared_ptr<PluginOnWorker> plugin_;
};

class NetworkFactory final : public tcp::FilterFactory {
 public:
  explicit NetworkFactory(std::shared_ptr<PluginOnWorker> plugin) : plugin_(std::move(plugin)) {}
  std::unique_ptr<tcp::Filter> create() override { return plugin_->createForConnection(); }

 private:
  const std::shared_ptr<PluginOnWorker> plugin_;
};

class PluginLogger final : public access_log::Sink {
 public:
  explicit PluginLogger(std::shared_ptr<PluginOnWorker> plugin) : plugin_(std::move(plugin)) {}
  // As Envoy: once for a stream or connection, at its end.
  void write(const format::Entry& entry) override {
    if (entry.info.finished) plugin_->log(entry);
  }

 private:
  const std::shared_ptr<PluginOnWorker> plugin_;
};

}  // namespace

WorkerPlugins::WorkerPlugins(const Environment& environment) : environment_(environment) {
  if (environment_.breakers == nullptr) environment_.breakers = &own_breakers_;
}

WorkerPlugins::~WorkerPlugins() { abandonPending(); }

void WorkerPlugins::abandonPending() {
  for (const auto& [identity, weak] : vms_) {
    if (const auto vm = weak.lock()) vm->abandonPending();
  }
}

std::unique_ptr<filter::FilterFactory> WorkerPlugins::createFactory(std::shared_ptr<const LoadedPlugin> plugin) {
  return std::make_unique<PluginFactory>(run(std::move(plugin)));
}

std::unique_ptr<tcp::FilterFactory> WorkerPlugins::createNetworkFactory(std::shared_ptr<const LoadedPlugin> plugin) {
  return std::make_unique<NetworkFactory>(run(std::move(plugin)));
}

std::shared_ptr<access_log::Sink> WorkerPlugins::createLogger(std::shared_ptr<const LoadedPlugin> plugin) {
  return std::make_shared<PluginLogger>(run(std::move(plugin)));
}

std::unique_ptr<Service> WorkerPlugins::createService(std::shared_ptr<const LoadedPlugin> plugin) {
  return std::make_unique<Service>(run(std::move(plugin)));
}

std::shared_ptr<PluginOnWorker> WorkerPlugins::run(std::shared_ptr<const LoadedPlugin> plugin) {
  // What nobody holds any more: each change of the configuration leaves some behind.
  std::erase_if(plugins_, [](const auto& known) { return known.second.expired(); });
  std::erase_if(vms_, [](const auto& known) { return known.second.expired(); });
  std::weak_ptr<PluginOnWorker>& place = plugins_[plugin->identity() + plugin->key];
  std::shared_ptr<PluginOnWorker> here = place.lock();
  if (here == nullptr) {
    here = std::make_shared<PluginOnWorker>(*this, std::move(plugin));
    place = here;
  }
  return here;
}

base::Result<std::shared_ptr<Vm>> WorkerPlugins::acquireVm(const std::shared_ptr<const PluginCode>& code) {
  std::weak_ptr<Vm>& place = vms_[code->identity];
  std::shared_ptr<Vm> vm = place.lock();
  if (vm != nullptr && !vm->failed()) return vm;
  auto created = Vm::create(code, {&environment_.loop, environment_.loop.clock(), *this, this, this});
  if (created.ok()) place = *created;
  return created;
}

VmEnvironment WorkerPlugins::environmentOfStreams() {
  constexpr size_t kContexts = 4;  // A root and a stream.
  return {&environment_.loop, environment_.loop.clock(), *this, &stream_vms_, this, kContexts};
}

WorkerPlugins::StreamVms::~StreamVms() {
  for (const auto& weak : waiting_) {
    if (const auto vm = weak.lock()) vm->abandonPending();
  }
}

void WorkerPlugins::StreamVms::onVmFailed(Vm& vm) {
  for (const auto& [key, weak] : worker_.plugins_) {
    if (const std::shared_ptr<PluginOnWorker> plugin = weak.lock()) plugin->onInstanceFailed(vm);
  }
}

void WorkerPlugins::StreamVms::onVmWaits(Vm& vm) {
  if (waiting_.size() >= sweep_at_) {
    std::erase_if(waiting_, [](const auto& known) { return known.expired(); });
    sweep_at_ = std::max(kSweepAt, 2 * waiting_.size());
  }
  waiting_.push_back(vm.weak_from_this());
}

upstream::Cluster* WorkerPlugins::find(std::string_view cluster) {
  return environment_.clusters != nullptr ? environment_.clusters->find(cluster) : nullptr;
}

net::Resolver& WorkerPlugins::resolver() {
  if (environment_.resolver != nullptr) return *environment_.resolver;
  if (own_resolver_ == nullptr) own_resolver_ = net::createResolver(environment_.loop);
  return *own_resolver_;
}

void WorkerPlugins::startLate() {
  reviveFailed();
  std::map<std::string, std::weak_ptr<PluginOnWorker>> renewed;
  for (const auto& [key, weak] : plugins_) {
    const std::shared_ptr<PluginOnWorker> plugin = weak.lock();
    if (plugin == nullptr) continue;
    plugin->renew();
    renewed.emplace(plugin->key(), plugin);
  }
  plugins_ = std::move(renewed);
}

// Within the failing call, with the guest's frames still there: the rest waits for the next turn.
void WorkerPlugins::onVmFailed(Vm&) {
  environment_.loop.post([this, alive = std::weak_ptr<int>(alive_)] {
    if (!alive.expired()) reviveFailed();
  });
}

void WorkerPlugins::reviveFailed() {
  for (auto place = plugins_.begin(); place != plugins_.end();) {
    const std::shared_ptr<PluginOnWorker> plugin = place->second.lock();
    if (plugin == nullptr) {
      place = plugins_.erase(place);
      continue;
    }
    plugin->revive();
    ++place;
  }
}

}  // namespace weir::proxy_wasm
