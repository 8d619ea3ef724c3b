// Trying a plugin out, and taking the snapshot with which its instances begin (fresh_start.h).
#include <fmt/format.h>

#include "base/log.h"
#include "proxy_wasm/plugin.h"
#include "proxy_wasm/started_plugin.h"
#include "wasm/snapshot.h"

namespace weir::proxy_wasm {
namespace {

class CanaryClusters final : public ClusterAccess {
 public:
  explicit CanaryClusters(const std::function<bool(std::string_view)>& known) : known_(known) {}
  bool knows(std::string_view cluster) override { return !known_ || known_(cluster); }
  upstream::Cluster* find(std::string_view) override { return nullptr; }

 private:
  const std::function<bool(std::string_view)>& known_;
};

}  // namespace

PluginHost::Source PluginHost::sourceOf(const PluginSpec& spec, std::span<const std::byte> module) const {
  if (settings_.budgets.of(spec.name).instance_per_stream) return {module, wasm::instrumented(engine_, module)};
  return {module, base::Error{base::Code::Unavailable, base::Side::Self, base::Retry::No, "none is wanted"}};
}

base::Result<void> PluginHost::tryOut(LoadedPlugin& plugin, const Source& source) {
  CanaryClusters clusters(settings_.knows_cluster);
  auto vm = Vm::create(plugin.code, {nullptr, clock_, clusters, nullptr});
  if (!vm.ok()) return std::move(vm).error();
  const std::shared_ptr<const LoadedPlugin> borrowed(std::shared_ptr<const LoadedPlugin>(), &plugin);
  auto started =
      StartedPlugin::start(std::move(*vm), borrowed, std::make_shared<RootShare>(plugin), StartedPlugin::End::Silent);
  if (!started.ok()) return std::move(started).error();
  if (!plugin.code->budgets.instance_per_stream) return base::Ok{};

  auto fresh = std::make_shared<FreshStart>(*plugin.code);
  const auto taken = takeSnapshot(**started, source, *fresh);
  plugin.fresh = std::move(fresh);
  noteFresh(plugin, taken.ok() ? std::string() : taken.error().detail);
  return base::Ok{};
}

// Error: why there is none, which is no fault of the plugin.
base::Result<void> PluginHost::takeSnapshot(StartedPlugin& started, const Source& source, FreshStart& fresh) {
  if (!source.instrumented.ok()) return source.instrumented.error();
  if (const std::string_view bound = started.vm().boundTo(); !bound.empty()) {
    return base::Error{base::Code::Unavailable, base::Side::Plugin, base::Retry::No,
                       fmt::format("{} while it starts", bound)};
  }
  auto bytes = wasm::snapshotOf(source.module, started.vm().instance());
  if (!bytes.ok()) return std::move(bytes).error();
  auto compiled = engine_.compile(*bytes, wasm::Native::Ignored, wasm::Form::Snapshot);
  if (!compiled.ok()) return std::move(compiled).error();
  auto code = makeCode(started.root().spec(), std::move(*compiled), started.vm().code().identity, Start::Done);
  if (!code.ok()) return std::move(code).error();
  started.root().keepFor(fresh);
  fresh.code = std::move(*code);
  return base::Ok{};
}

void PluginHost::noteFresh(const LoadedPlugin& plugin, const std::string& why_not) {
  const bool ready = plugin.fresh->code != nullptr;
  stats_.gauge(fmt::format("wasm.{}.snapshot", plugin.spec.name)).set(ready ? 1 : 0);
  if (ready) {
    LOG(Wasm, Info, "plugin {} has an instance for each stream, which begins configured", plugin.spec.name);
  } else {
    LOG(Wasm, Warning, "plugin {} has an instance for each stream, and each is started and configured anew: {}",
        plugin.spec.name, why_not);
  }
}

}  // namespace weir::proxy_wasm
