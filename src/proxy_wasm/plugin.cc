#include "proxy_wasm/plugin.h"

#include <fmt/core.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/log.h"
#include "proxy_wasm/host_functions.h"
#include "proxy_wasm/started_plugin.h"

namespace weir::proxy_wasm {
namespace {

base::Error refused(std::string detail) {
  return {base::Code::InvalidArgument, base::Side::Operator, base::Retry::No, std::move(detail)};
}

std::string_view placeOf(const CodeSource& code) {
  return code.kind == CodeSource::Kind::File ? std::string_view(code.path) : std::string_view("inline code");
}

base::Result<std::string> readCode(const CodeSource& code) {
  if (code.kind == CodeSource::Kind::Inline) return code.bytes;
  std::ifstream file(code.path, std::ios::binary);
  if (!file) return refused(fmt::format("Invalid path: {}: {}", code.path, std::strerror(errno)));
  std::ostringstream bytes;
  bytes << file.rdbuf();
  if (!file || bytes.view().empty()) return refused("cannot be read, or is empty");
  return std::move(bytes).str();
}

// Plugins may be given in Wasm's text format, too: it begins with a parenthesis or a comment.
bool isText(std::string_view code) {
  const size_t first = code.find_first_not_of(" \t\r\n");
  return first != code.npos && (code[first] == '(' || code[first] == ';');
}

// Joins parts so that no two lists of parts give the same text.
class Identity {
 public:
  Identity& add(std::string_view part) {
    text_ += fmt::format("{}:", part.size());
    text_ += part;
    return *this;
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// Unlike Envoy's, the identity has all of the VM's settings in it, so that a changed environment makes a new VM.
std::string identityOf(const PluginSpec& spec, const wasm::Module& module) {
  Identity identity;
  identity.add(spec.vm.vm_id).add(spec.vm.configuration).add(module.digest()).add(spec.vm.runtime);
  for (const auto& [key, value] : spec.vm.environment) identity.add(key).add(value);
  if (spec.allowed_capabilities) {
    identity.add("capabilities");
    for (const std::string& capability : *spec.allowed_capabilities) identity.add(capability);
  }
  return identity.take();
}

std::string keyOf(const PluginSpec& spec) {
  Identity key;
  key.add(spec.root_id).add(spec.configuration).add(spec.name);
  key.add(fmt::format("{} {} {} {}", static_cast<int>(spec.failure_policy), spec.legacy_fail_open,
                      spec.reload_backoff.count(), spec.allow_on_headers_stop_iteration));
  return key.take();
}

class CanaryClusters final : public ClusterAccess {
 public:
  explicit CanaryClusters(const std::function<bool(std::string_view)>& known) : known_(known) {}
  bool knows(std::string_view cluster) override { return !known_ || known_(cluster); }
  upstream::Cluster* find(std::string_view) override { return nullptr; }

 private:
  const std::function<bool(std::string_view)>& known_;
};

}  // namespace

base::Result<std::unique_ptr<PluginHost>> PluginHost::create(wasm::Engine& engine, stats::Store& stats,
                                                             const base::Clock& clock, Settings settings) {
  const Budgets& budgets = settings.budgets;
  if (budgets.stream_callback <= base::Duration::zero() || budgets.start <= base::Duration::zero() ||
      budgets.memory_bytes == 0) {
    return refused("a plugin's budgets of time and memory must be greater than zero");
  }
  return std::unique_ptr<PluginHost>(new PluginHost(engine, stats, clock, std::move(settings)));
}

base::Result<std::shared_ptr<const LoadedPlugin>> PluginHost::load(const PluginSpec& spec) {
  // What nobody holds any more: each change of the configuration leaves some behind.
  std::erase_if(plugins_, [](const auto& known) { return known.second.expired(); });
  std::erase_if(codes_, [](const auto& known) { return known.second.expired(); });
  const std::string where = fmt::format("Unable to create Wasm plugin {}: {}", spec.name, placeOf(spec.vm.code));
  auto code = loadCode(spec);
  if (!code.ok()) return std::move(code).error().in(where);
  std::string key = keyOf(spec);
  std::weak_ptr<const LoadedPlugin>& place = plugins_[(*code)->identity + key];
  if (auto known = place.lock()) return known;

  auto plugin = std::make_shared<const LoadedPlugin>(LoadedPlugin{spec, std::move(*code), std::move(key)});
  if (auto ran = runCanary(plugin); !ran.ok()) return std::move(ran).error().in(where);
  place = plugin;
  return plugin;
}

base::Result<std::shared_ptr<const PluginCode>> PluginHost::loadCode(const PluginSpec& spec) {
  auto bytes = readCode(spec.vm.code);
  if (!bytes.ok()) return std::move(bytes).error();
  auto module = isText(*bytes) ? engine_.compileText(*bytes) : engine_.compile(std::as_bytes(std::span(*bytes)));
  if (!module.ok()) return std::move(module).error();
  std::string identity = identityOf(spec, **module);
  std::weak_ptr<const PluginCode>& place = codes_[identity];
  if (auto known = place.lock()) return known;

  auto shape = examine(**module, spec.allowed_capabilities);
  if (!shape.ok()) return std::move(shape).error();
  auto imports = resolveImports(**module, spec.allowed_capabilities);
  if (!imports.ok()) return std::move(imports).error();

  VmSpec vm = spec.vm;
  vm.code.bytes.clear();  // The compiled module is all that is needed from here on.
  const std::string stat_prefix = fmt::format("wasm.{}.", vm.runtime);
  auto code = std::make_shared<const PluginCode>(PluginCode{
      engine_, stats_, std::move(vm), settings_.budgets, std::move(identity), settings_.node, std::move(*module),
      *shape, std::move(*imports), shared_data_.space(spec.vm.vm_id), shared_queues_->share(spec.vm.vm_id),
      stats_.counter(stat_prefix + "created"), stats_.gauge(stat_prefix + "active")});
  place = code;
  return code;
}

base::Result<void> PluginHost::runCanary(const std::shared_ptr<const LoadedPlugin>& plugin) {
  CanaryClusters clusters(settings_.knows_cluster);
  auto vm = Vm::create(plugin->code, {nullptr, clock_, clusters, nullptr});
  if (!vm.ok()) return std::move(vm).error();
  auto started = StartedPlugin::start(std::move(*vm), plugin, StartedPlugin::End::Silent);
  if (!started.ok()) return std::move(started).error();
  return base::Ok{};
}

}  // namespace weir::proxy_wasm
