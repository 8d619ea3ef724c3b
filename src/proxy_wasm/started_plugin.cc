#include "proxy_wasm/started_plugin.h"

namespace weir::proxy_wasm {

base::Result<std::shared_ptr<StartedPlugin>> StartedPlugin::start(std::shared_ptr<Vm> vm,
                                                                  std::shared_ptr<const LoadedPlugin> plugin,
                                                                  std::shared_ptr<RootShare> share, End end) {
  RootContext& root = vm->addRoot(std::make_unique<RootContext>(*vm, std::move(plugin), std::move(share)));
  // Until it has started, nobody tells it of its end.
  auto started = std::make_shared<StartedPlugin>(std::move(vm), root, End::Silent);
  if (auto ran = root.start(); !ran.ok()) return std::move(ran).error();
  started->end_ = end;
  return started;
}

std::shared_ptr<StartedPlugin> StartedPlugin::resume(std::shared_ptr<Vm> vm, std::shared_ptr<const LoadedPlugin> plugin,
                                                     std::shared_ptr<RootShare> share) {
  const std::shared_ptr<const FreshStart> fresh = plugin->fresh;
  RootContext& root = vm->addRoot(std::make_unique<RootContext>(*vm, std::move(plugin), std::move(share)));
  root.resume(*fresh);
  return std::make_shared<StartedPlugin>(std::move(vm), root, End::AfterCalls);
}

StartedPlugin::~StartedPlugin() {
  switch (end_) {
    case End::Told: vm_->shutDown(root_); break;
    case End::Silent: vm_->discard(root_); break;
    case End::AfterCalls: vm_->discardAnswered(root_); break;
  }
}

}  // namespace weir::proxy_wasm
