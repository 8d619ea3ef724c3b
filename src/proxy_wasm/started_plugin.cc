#include "proxy_wasm/started_plugin.h"

namespace weir::proxy_wasm {

base::Result<std::shared_ptr<StartedPlugin>> StartedPlugin::start(std::shared_ptr<Vm> vm,
                                                                  std::shared_ptr<const LoadedPlugin> plugin, End end) {
  RootContext& root = vm->addRoot(std::make_unique<RootContext>(*vm, std::move(plugin)));
  // Until it has started, nobody tells it of its end.
  auto started = std::make_shared<StartedPlugin>(std::move(vm), root, End::Silent);
  if (auto ran = root.start(); !ran.ok()) return std::move(ran).error();
  started->end_ = end;
  return started;
}

StartedPlugin::~StartedPlugin() {
  if (end_ == End::Told) {
    vm_->shutDown(root_);
  } else {
    vm_->discard(root_);
  }
}

}  // namespace weir::proxy_wasm
