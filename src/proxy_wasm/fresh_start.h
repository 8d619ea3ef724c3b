// How a plugin begins anew for one stream, where its budget gives each stream an instance of its own
// (docs/decisions/instance-per-stream.md).
//
// The guest is started and configured once, on trial; what its memory and globals are then, its instances have from
// their first moment on. What the host knows of it goes with that. Immutable, shared by all workers.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "proxy_wasm/custom_metrics.h"
#include "proxy_wasm/declared_property.h"
#include "proxy_wasm/plugin_code.h"

namespace weir::proxy_wasm {

struct FreshStart {
  explicit FreshStart(const PluginCode& code) : metrics(code.stats, code.budgets.metrics) {}

  // Its instances are configured; null: there is no such code, and each instance is started and configured by itself.
  std::shared_ptr<const PluginCode> code;
  CustomMetrics metrics;
  DeclaredProperties declared;
  base::Duration tick_period{};
};

}  // namespace weir::proxy_wasm
