#include "proxy_wasm/stream_instances.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"

namespace weir::proxy_wasm {

StreamInstances::StreamInstances(const VmEnvironment& environment)
    : environment_(environment), publish_(*environment.loop, [this] { publish(); }) {}

StreamInstances::~StreamInstances() = default;

std::shared_ptr<StartedPlugin> StreamInstances::make(const std::shared_ptr<const LoadedPlugin>& plugin) {
  if (share_ == nullptr) share_ = std::make_shared<RootShare>(*plugin);
  if (!publish_.armed()) publish_.arm(kPublish);
  auto begun = begin(plugin);
  if (begun.ok()) return std::move(*begun);
  if (!std::exchange(told_, true)) {
    LOG(Wasm, Error, "plugin {} has no instance for a stream: {}", plugin->spec.name, begun.error().detail);
  }
  return nullptr;
}

base::Result<std::shared_ptr<StartedPlugin>> StreamInstances::begin(const std::shared_ptr<const LoadedPlugin>& plugin) {
  const size_t most = plugin->code->budgets.instances;
  if (share_->roots >= most) {
    plugin->code->instances_refused.add();
    return base::Error{base::Code::Unavailable, base::Side::Plugin, base::Retry::No,
                       fmt::format("{} live on this worker, which is its limit", most)};
  }
  const bool ready = plugin->fresh->code != nullptr;
  auto vm = Vm::create(ready ? plugin->fresh->code : plugin->code, environment_);
  if (!vm.ok()) return std::move(vm).error();
  if (ready && !(*vm)->instance().pooled()) plugin->code->instances_unpooled.add();
  if (ready) return StartedPlugin::resume(std::move(*vm), plugin, share_);
  return StartedPlugin::start(std::move(*vm), plugin, share_, StartedPlugin::End::AfterCalls);
}

void StreamInstances::publish() {
  told_ = false;
  share_->call_stats.publish();
}

}  // namespace weir::proxy_wasm
