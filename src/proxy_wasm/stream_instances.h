// A plugin's instances on one worker that serve one stream each (or one TCP connection).
//
// An instance lives as long as its stream and, after that, until the calls that its guest began have been answered.
// When one dies, that is its own stream's matter.
//
// Used by the worker's thread alone; its instances may outlive it.
#pragma once

#include <memory>

#include "event/timer.h"
#include "proxy_wasm/started_plugin.h"
#include "proxy_wasm/vm.h"

namespace weir::proxy_wasm {

class StreamInstances {
 public:
  // What environment refers to must outlive the instances.
  explicit StreamInstances(const VmEnvironment& environment);
  ~StreamInstances();

  // An instance for a new stream; plugin->fresh is not null. Null: it cannot be started, or there are as many as the
  // budget has. That is logged and counted.
  std::shared_ptr<StartedPlugin> make(const std::shared_ptr<const LoadedPlugin>& plugin);

 private:
  base::Result<std::shared_ptr<StartedPlugin>> begin(const std::shared_ptr<const LoadedPlugin>& plugin);
  void publish();

  // Calls are counted in the share and published this long after the first instance since the last time.
  static constexpr base::Duration kPublish = std::chrono::milliseconds(100);

  const VmEnvironment environment_;
  std::shared_ptr<RootShare> share_;  // Made with the first instance: then the code is there.
  event::Timer publish_;
  bool told_ = false;  // Since the last publishing: one line in the log is enough.
};

}  // namespace weir::proxy_wasm
