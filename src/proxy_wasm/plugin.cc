#include "proxy_wasm/plugin.h"

#include <fmt/core.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
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
  switch (code.kind) {
    case CodeSource::Kind::File: return code.path;
    case CodeSource::Kind::Inline: return "inline code";
    case CodeSource::Kind::Remote: return code.remote.uri;
  }
  return "";
}

// The engine takes no larger module (EngineSettings); here a larger one is not even read.
constexpr uint64_t kMostFileBytes = uint64_t{64} << 20;

base::Result<std::shared_ptr<const std::string>> readFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return refused(fmt::format("Invalid path: {}: {}", path, std::strerror(errno)));
  if (std::error_code none; !std::filesystem::is_regular_file(path, none)) return refused("is no file");
  std::error_code unknown;
  const uint64_t size = std::filesystem::file_size(path, unknown);
  if (!unknown && size > kMostFileBytes) {
    return refused(fmt::format("{} bytes are above the limit of {} bytes", size, kMostFileBytes));
  }
  std::ostringstream bytes;
  bytes << file.rdbuf();
  if (!file || bytes.view().empty()) return refused("cannot be read, or is empty");
  return std::make_shared<const std::string>(std::move(bytes).str());
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
std::string identityOf(const PluginSpec& spec, const Budgets& budgets, const std::string& code_digest) {
  Identity identity;
  identity.add(spec.vm.vm_id).add(spec.vm.configuration).add(code_digest).add(spec.vm.runtime);
  identity.add(budgets.text());
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

// What stands in the identity of a plugin until its code is here.
std::string codeName(const RemoteSource& source) {
  return source.sha256.empty() ? source.cluster + " " + source.uri : source.sha256;
}

// The same of a plugin that is degraded.
std::string faultyName(const CodeSource& code) {
  switch (code.kind) {
    case CodeSource::Kind::File: return "faulty file " + code.path;
    case CodeSource::Kind::Inline: return "faulty code " + sha256Of(code.bytes);
    case CodeSource::Kind::Remote: return "faulty fetched " + codeName(code.remote);
  }
  return "";
}

}  // namespace

DegradedPlugins::Environment PluginHost::environment() {
  const auto again = [this](const std::shared_ptr<LatePlugin>& late, const PluginSpec& spec) {
    return loadAgain(late, spec);
  };
  return {settings_.loop, clock_, stats_, again, settings_.on_arrival, settings_.watch};
}

base::Result<std::shared_ptr<const LoadedPlugin>> PluginHost::load(const PluginSpec& spec, std::string_view where) {
  dropUnused();
  const auto told = [&](base::Error why) {
    why = std::move(why).in(fmt::format("Unable to create Wasm plugin {}: {}", spec.name, placeOf(spec.vm.code)));
    return where.empty() ? std::move(why) : std::move(why).in(std::string(where));
  };
  auto bytes = readCode(spec);
  if (bytes.ok() && *bytes == nullptr) {
    auto late = loadLate(spec);
    return late.ok() ? std::move(late) : told(std::move(late).error());
  }
  auto plugin = bytes.ok() ? loadWith(spec, **bytes)
                           : base::Result<std::shared_ptr<const LoadedPlugin>>(std::move(bytes).error());
  if (plugin.ok()) return plugin;
  base::Error why = told(std::move(plugin).error());
  if (auto without = goOnWithout(spec, why)) return without;
  return why;
}

// Null: neither is it degraded already, nor is that a way to begin.
std::shared_ptr<const LoadedPlugin> PluginHost::goOnWithout(const PluginSpec& spec, const base::Error& why) {
  const std::string identity = identityOf(spec, settings_.budgets.of(spec.name), faultyName(spec.vm.code));
  std::string key = keyOf(spec);
  std::weak_ptr<const LoadedPlugin>& place = plugins_[identity + key];
  if (auto known = place.lock(); known != nullptr && (go_on_ || known->late->get() == nullptr)) return known;
  if (!go_on_) return nullptr;
  auto late = std::make_shared<LatePlugin>(stats_, identity);
  late->settle();
  auto plugin = std::make_shared<const LoadedPlugin>(LoadedPlugin{spec, nullptr, std::move(key), late, nullptr});
  place = plugin;
  LOG(Wasm, Error, "{}", why.detail);
  LOG(Wasm, Error, "plugin {} is degraded and will be tried again; until it can be loaded, its streams {}", spec.name,
      spec.failsOpen() ? "go on without it" : "are refused");
  degraded_.put(late, spec, why, DegradedPlugins::Again::ByTimer);
  return plugin;
}

base::Result<std::shared_ptr<const LoadedPlugin>> PluginHost::loadAgain(const std::shared_ptr<LatePlugin>& late,
                                                                        const PluginSpec& spec) {
  dropUnused();
  auto bytes = readCode(spec);
  if (!bytes.ok()) return std::move(bytes).error();
  if (*bytes != nullptr) return loadWith(spec, **bytes);
  fetch(late, spec);
  return std::shared_ptr<const LoadedPlugin>();
}

std::vector<std::string> PluginHost::degraded() {
  dropUnused();
  return degraded_.lines();
}

// Null: it is still to be fetched.
base::Result<std::shared_ptr<const std::string>> PluginHost::readCode(const PluginSpec& spec) {
  const CodeSource& code = spec.vm.code;
  if (code.kind == CodeSource::Kind::Inline) return std::make_shared<const std::string>(code.bytes);
  if (code.kind == CodeSource::Kind::Remote) {
    return settings_.remote == nullptr ? nullptr : settings_.remote->find(code.remote);
  }
  auto bytes = readFile(code.path);
  if (!bytes.ok()) {
    counter(spec, "load_attempts").add();
    counter(spec, "load_failures").add();
  }
  return bytes;
}

stats::Counter& PluginHost::counter(const PluginSpec& spec, std::string_view what) {
  return stats_.counter(fmt::format("wasm.{}.{}", spec.name, what));
}

base::Result<std::shared_ptr<const LoadedPlugin>> PluginHost::loadWith(const PluginSpec& spec,
                                                                       const std::string& bytes) {
  stats_.gauge(fmt::format("wasm.{}.degraded", spec.name)).add(0);  // There from now on.
  auto plugin = tryToLoad(spec, bytes);
  counter(spec, "load_attempts").add();
  counter(spec, "load_failures").add(plugin.ok() ? 0 : 1);
  return plugin;
}

base::Result<std::shared_ptr<const LoadedPlugin>> PluginHost::tryToLoad(const PluginSpec& spec,
                                                                        const std::string& bytes) {
  auto text = isText(bytes) ? wasm::Engine::bytesOf(bytes) : std::vector<std::byte>();
  if (!text.ok()) return std::move(text).error();
  const std::span<const std::byte> module = text->empty() ? std::as_bytes(std::span(bytes)) : std::span(*text);
  const Source source = sourceOf(spec, module);
  auto code = loadCode(spec, source.toRun());
  if (!code.ok()) return std::move(code).error();
  std::string key = keyOf(spec);
  std::weak_ptr<const LoadedPlugin>& place = plugins_[(*code)->identity + key];
  if (auto known = place.lock(); known != nullptr && known->code != nullptr) return known;

  auto successor = successorOf(spec, key, (*code)->identity);
  auto plugin = std::make_shared<LoadedPlugin>(
      LoadedPlugin{spec, std::move(*code), std::move(key), nullptr, std::move(successor)});
  if (auto ran = tryOut(*plugin, source); !ran.ok()) return std::move(ran).error();
  place = plugin;
  return std::shared_ptr<const LoadedPlugin>(std::move(plugin));
}

// What nobody holds any more: each change of the configuration leaves some behind.
void PluginHost::dropUnused() {
  for (auto& [name, watched] : watched_) {
    // Only the newest version knows its place, and only we know it.
    auto& newest = watched.newest;
    if (newest != nullptr && newest.use_count() == 1 && newest->successor.use_count() == 1) newest.reset();
  }
  std::erase_if(watched_, [](const auto& known) { return known.second.successor.expired(); });
  std::erase_if(plugins_, [](const auto& known) { return known.second.expired(); });
  std::erase_if(codes_, [](const auto& known) { return known.second.expired(); });
  degraded_.dropUnused();
}

std::shared_ptr<Successor> PluginHost::successorOf(const PluginSpec& spec, const std::string& key,
                                                   const std::string& identity) {
  if (!settings_.watch || spec.vm.code.kind != CodeSource::Kind::File) return nullptr;
  const std::string name = Identity().add(spec.vm.code.path).add(identityOf(spec, Budgets(), "")).add(key).take();
  Watched& watched = watched_[name];
  auto successor = watched.successor.lock();
  if (successor != nullptr) return successor;
  successor = std::make_shared<Successor>();
  watched = {spec, identity, successor, nullptr, settings_.watch(spec.vm.code.path, [this, name] { reload(name); })};
  if (watched.watch == nullptr) LOG(Wasm, Warning, "plugin {}: {} is not watched", spec.name, spec.vm.code.path);
  return successor;
}

void PluginHost::reload(const std::string& name) {
  dropUnused();
  const auto found = watched_.find(name);
  if (found == watched_.end()) return;
  Watched& watched = found->second;
  const PluginSpec& spec = watched.spec;
  const auto bytes = readCode(spec);
  const auto plugin =
      bytes.ok() ? loadWith(spec, **bytes) : base::Result<std::shared_ptr<const LoadedPlugin>>(bytes.error());
  if (!plugin.ok()) {
    counter(spec, "file_reload_failure").add();
    LOG(Wasm, Error, "plugin {} stays as it is, the new {} cannot be used: {}", spec.name, spec.vm.code.path,
        plugin.error().detail);
    return;
  }
  if ((*plugin)->code->identity == watched.identity) return;  // Written again, and the same.
  watched.identity = (*plugin)->code->identity;
  watched.newest = *plugin;
  (*plugin)->successor->set(*plugin);
  counter(spec, "file_reload_success").add();
  LOG(Wasm, Info, "plugin {}: {} has changed, the new version serves from now on", spec.name, spec.vm.code.path);
  if (settings_.on_arrival) settings_.on_arrival();
}

base::Result<std::shared_ptr<const LoadedPlugin>> PluginHost::loadLate(const PluginSpec& spec) {
  const RemoteSource& source = spec.vm.code.remote;
  if (source.nack_on_miss) {
    if (settings_.remote != nullptr)
      settings_.remote->want(source, settings_.remote->always(), [](const std::string*, std::string_view) {});
    return refused("the code is not here yet; it is being fetched");
  }
  std::string key = keyOf(spec);
  const std::string code = codeName(source);
  const auto budgets = settings_.budgets.of(spec.name);
  std::weak_ptr<const LoadedPlugin>& place = plugins_[identityOf(spec, budgets, code) + key];
  // What was settled is settled, unless the registry is to be asked each time what the image is.
  const bool ask_anew = settings_.remote != nullptr && settings_.remote->asksFirst(source);
  if (auto known = place.lock(); known != nullptr && known->late != nullptr && !(ask_anew && known->late->settled())) {
    if (!known->late->settled()) late_.push_back(known->late);
    return known;
  }
  // Then it may come to be another one than before, and workers must tell them apart.
  const std::string identity = identityOf(spec, budgets, ask_anew ? fmt::format("{} {}", code, ++asked_) : code);
  auto late = std::make_shared<LatePlugin>(stats_, identity);
  auto plugin = std::make_shared<const LoadedPlugin>(LoadedPlugin{spec, nullptr, std::move(key), late, nullptr});
  place = plugin;
  late_.push_back(late);
  if (settings_.remote != nullptr) fetch(late, spec);
  return plugin;
}

void PluginHost::fetch(const std::shared_ptr<LatePlugin>& late, const PluginSpec& spec) {
  const auto told = [this, weak = std::weak_ptr(late), spec](const std::string* code, std::string_view why_not) {
    if (const auto late = weak.lock()) arrive(late, spec, code, why_not);
  };
  settings_.remote->want(spec.vm.code.remote, late, told);
}

// code: null if it could not be fetched so far.
void PluginHost::arrive(const std::shared_ptr<LatePlugin>& late, const PluginSpec& spec, const std::string* code,
                        std::string_view why_not) {
  using Again = DegradedPlugins::Again;
  const std::string& uri = spec.vm.code.remote.uri;
  if (code == nullptr) {
    const base::Error why =
        refused(fmt::format("Plugin {} has no code: it could not be fetched from {}: {}", spec.name, uri, why_not));
    LOG(Wasm, Critical, "{}", why.detail);
    degraded_.put(late, spec, why, Again::WhenFetched);
  } else if (auto plugin = loadWith(spec, *code); plugin.ok()) {
    late->arrive(*std::move(plugin));
    degraded_.end(*late);
    if (settings_.on_arrival) settings_.on_arrival();
  } else {
    const base::Error why =
        std::move(plugin).error().in(fmt::format("Unable to create Wasm plugin {}: {}", spec.name, uri));
    LOG(Wasm, Critical, "{}", why.detail);
    degraded_.put(late, spec, why, Again::ByTimer);
  }
  late->settle();
}

base::Result<std::shared_ptr<const PluginCode>> PluginHost::loadCode(const PluginSpec& spec,
                                                                     std::span<const std::byte> bytes) {
  auto module = engine_.compile(bytes, spec.vm.allow_precompiled ? wasm::Native::Allowed : wasm::Native::Ignored);
  if (!module.ok()) return std::move(module).error();
  const Budgets budgets = settings_.budgets.of(spec.name);
  std::string identity = identityOf(spec, budgets, (*module)->digest());
  std::weak_ptr<const PluginCode>& place = codes_[identity];
  if (auto known = place.lock()) return known;

  auto code = makeCode(spec, std::move(*module), std::move(identity));
  if (!code.ok()) return code;
  for (const auto& name : (*code)->imports.lacking) {
    LOG(Wasm, Warning, "plugin {} imports {}, which weir does not have: it dies where it calls that", spec.name, *name);
  }
  if (budgets != settings_.budgets.of("")) {
    LOG(Wasm, Info, "plugin {} has limits of its own: {}", spec.name, budgets.text());
  }
  place = *code;
  return code;
}

base::Result<std::shared_ptr<const PluginCode>> PluginHost::makeCode(const PluginSpec& spec,
                                                                     std::shared_ptr<const wasm::Module> module,
                                                                     std::string identity, Start start) {
  auto shape = examine(*module, spec.allowed_capabilities);
  if (!shape.ok()) return std::move(shape).error();
  if (start == Start::Done) shape->start = shape->main = {};
  auto imports = resolveImports(*module, spec.allowed_capabilities);
  if (!imports.ok()) return std::move(imports).error();
  auto blueprint = wasm::Blueprint::create(engine_, module, imports->functions);
  if (!blueprint.ok()) return std::move(blueprint).error();
  const Budgets budgets = settings_.budgets.of(spec.name);

  VmSpec vm = spec.vm;
  vm.code.bytes.clear();  // The compiled module is all that is needed from here on.
  const std::string stat_prefix = fmt::format("wasm.{}.", vm.runtime);
  auto code = std::make_shared<const PluginCode>(PluginCode{engine_,
                                                            stats_,
                                                            std::move(vm),
                                                            budgets,
                                                            std::move(identity),
                                                            settings_.node,
                                                            std::move(module),
                                                            *shape,
                                                            std::move(*imports),
                                                            std::move(*blueprint),
                                                            shared_data_.space(spec.vm.vm_id),
                                                            shared_queues_->share(spec.vm.vm_id),
                                                            stats_.counter(stat_prefix + "created"),
                                                            stats_.gauge(stat_prefix + "active"),
                                                            stats_.gauge("wasm.vm_memory_bytes"),
                                                            settings_.time_one_call_in,
                                                            std::make_shared<LogBudget>(budgets.log_bytes_per_second),
                                                            stats_.counter("wasm.log_lines_dropped"),
                                                            stats_.counter("wasm.shared_data_refused"),
                                                            stats_.counter("wasm.unknown_actions"),
                                                            stats_.counter("wasm.shared_queue_full"),
                                                            stats_.counter("wasm.calls_refused"),
                                                            stats_.counter("wasm.metrics_refused"),
                                                            stats_.counter("wasm.contexts_refused"),
                                                            stats_.counter("wasm.instances_refused"),
                                                            stats_.counter("wasm.instances_unpooled"),
                                                            stats_.counter("wasm.headers_refused"),
                                                            stats_.counter("wasm.pauses_ended"),
                                                            stats_.counter("wasm.injections_refused"),
                                                            stats_.counter("wasm.body_limits_refused")});
  return std::shared_ptr<const PluginCode>(std::move(code));
}

}  // namespace weir::proxy_wasm
