// envoy.extensions.wasm.v3: a plugin and its VM.
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/wrappers.pb.h>

#include <array>

#include "config/names.h"
#include "config/struct_json.h"
#include "config/support.h"
#include "config/values.h"
#include "oci/image_name.h"

namespace weir::config {
namespace {

namespace wasm = envoy::extensions::wasm::v3;

// As Envoy hands it to the plugin: the text of a StringValue, the bytes of a BytesValue, a Struct as JSON.
std::string configurationBytes(const google::protobuf::Any& any) {
  if (any.type_url().empty()) return "";
  google::protobuf::StringValue text;
  if (any.UnpackTo(&text)) return text.value();
  google::protobuf::BytesValue bytes;
  if (any.UnpackTo(&bytes)) return bytes.value();
  google::protobuf::Struct fields;
  if (!any.UnpackTo(&fields)) return any.value();
  return structAsJson(fields);
}

void checkRuntime(const std::string& runtime, const Place& place) {
  static constexpr std::array<std::string_view, 5> kOurs{"", "envoy.wasm.runtime.v8", "envoy.wasm.runtime.wasmtime",
                                                         "envoy.wasm.runtime.wamr", "envoy.wasm.runtime.wavm"};
  for (const std::string_view name : kOurs) {
    if (runtime == name) return;
  }
  if (runtime == "envoy.wasm.runtime.null") {
    place.fault(FaultKind::Unsupported,
                "the null runtime runs plugins compiled into Envoy; weir has none, it runs .wasm");
    return;
  }
  place.fault(FaultKind::Unknown,
              fmt::format("unknown runtime '{}'; expected envoy.wasm.runtime.v8 or nothing (all names mean weir's one "
                          "engine)",
                          runtime));
}

bool isDigest(std::string_view text) {
  static constexpr size_t kDigits = 64;
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// As Envoy: intervals of 1 s and 10 times the base, and one more try.
void convertFetchRetries(const envoy::config::core::v3::RetryPolicy& policy, const Place& place,
                         proxy_wasm::RemoteSource& source) {
  if (policy.has_num_retries()) source.retries = policy.num_retries().value();
  if (!policy.has_retry_back_off()) return;
  const auto& back_off = policy.retry_back_off();
  const Place here = place.field("retry_back_off");
  source.base_interval = convertDuration(back_off.base_interval(), here.field("base_interval"));
  source.max_interval = source.base_interval * 10;
  if (back_off.has_max_interval()) {
    source.max_interval = convertDuration(back_off.max_interval(), here.field("max_interval"));
  }
  if (source.max_interval < source.base_interval) {
    here.field("max_interval")
        .fault(FaultKind::Conflict, "max_interval must be greater than or equal to base_interval");
  }
}

proxy_wasm::RemoteSource convertRemote(const envoy::config::core::v3::RemoteDataSource& remote, const Place& place) {
  proxy_wasm::RemoteSource source;
  source.uri = remote.http_uri().uri();
  source.cluster = remote.http_uri().cluster();
  if (oci::isImageUri(source.uri)) {
    auto image = oci::parseImageName(source.uri);
    if (image.ok())
      source.image = *std::move(image);
    else
      place.field("http_uri").field("uri").fault(FaultKind::Rule, image.error().detail);
  }
  source.timeout = convertDuration(remote.http_uri().timeout(), place.field("http_uri").field("timeout"));
  source.sha256 = lowerCase(remote.sha256());
  if (!source.sha256.empty() && !isDigest(source.sha256)) {
    place.field("sha256").fault(FaultKind::Rule, "must be 64 hexadecimal digits");
  }
  if (remote.has_retry_policy()) convertFetchRetries(remote.retry_policy(), place.field("retry_policy"), source);
  return source;
}

proxy_wasm::CodeSource convertCode(const envoy::config::core::v3::AsyncDataSource& code, const Place& place,
                                   const LoadOptions& options) {
  proxy_wasm::CodeSource source;
  if (code.has_remote()) {
    source.kind = proxy_wasm::CodeSource::Kind::Remote;
    source.remote = convertRemote(code.remote(), place.field("remote"));
  }
  if (!code.has_local()) return source;  // Reported by the rules, if there is nothing at all.
  const Place here = place.field("local");
  if (!code.local().filename().empty()) {
    source.path = code.local().filename();  // Whether it is there is for whoever loads it: that need not be the end.
    return source;
  }
  source.kind = proxy_wasm::CodeSource::Kind::Inline;
  const size_t faults = here.report().count();
  source.bytes = readDataSource(code.local(), here, options);
  if (source.bytes.empty() && here.report().count() == faults) here.fault(FaultKind::Rule, "holds no code");
  return source;
}

std::map<std::string, std::string> convertEnvironment(const wasm::EnvironmentVariables& variables,
                                                      const std::string& plugin, const Place& place,
                                                      const LoadOptions& options) {
  std::map<std::string, std::string> result(variables.key_values().begin(), variables.key_values().end());
  std::map<std::string, bool> seen;
  for (int i = 0; i < variables.host_env_keys_size(); i++) {
    const std::string& key = variables.host_env_keys(i);
    const bool first = seen.emplace(key, true).second;
    if (!first || variables.key_values().contains(key)) {
      place.item("host_env_keys", static_cast<size_t>(i))
          .fault(FaultKind::Conflict,
                 fmt::format("Key {} is duplicated in envoy.extensions.wasm.v3.VmConfig.environment_variables for {}. "
                             "All the keys must be unique.",
                             key, plugin));
      continue;
    }
    // As Envoy: a variable that is not set is simply not there.
    if (auto value = environmentVariable(key, options)) result[key] = std::move(*value);
  }
  return result;
}

std::optional<std::vector<std::string>> convertCapabilities(const wasm::CapabilityRestrictionConfig& config) {
  if (config.allowed_capabilities().empty()) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& [name, unused] : config.allowed_capabilities()) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

proxy_wasm::VmSpec convertVm(const wasm::VmConfig& vm, const std::string& plugin, const Place& place,
                             const LoadOptions& options) {
  proxy_wasm::VmSpec spec;
  spec.vm_id = vm.vm_id();
  spec.runtime = vm.runtime();
  checkRuntime(vm.runtime(), place.field("runtime"));
  if (!vm.has_code()) place.field("code").fault(FaultKind::Rule, "is required");
  spec.code = convertCode(vm.code(), place.field("code"), options);
  spec.code.remote.nack_on_miss = vm.nack_on_code_cache_miss();
  spec.configuration = configurationBytes(vm.configuration());
  spec.allow_precompiled = vm.allow_precompiled();
  spec.environment =
      convertEnvironment(vm.environment_variables(), plugin, place.field("environment_variables"), options);
  return spec;
}

proxy_wasm::FailurePolicy convertPolicy(const wasm::PluginConfig& plugin, const Place& place) {
  if (plugin.fail_open() && plugin.failure_policy() != wasm::UNSPECIFIED) {
    place.field("failure_policy")
        .fault(FaultKind::Conflict, "only one of fail_open or failure_policy can be set");  // Envoy's words.
  }
  switch (plugin.failure_policy()) {
    case wasm::FAIL_OPEN: return proxy_wasm::FailurePolicy::Open;
    case wasm::FAIL_RELOAD: return proxy_wasm::FailurePolicy::Reload;
    case wasm::UNSPECIFIED:
      return plugin.fail_open() ? proxy_wasm::FailurePolicy::Open : proxy_wasm::FailurePolicy::Closed;
    case wasm::FAIL_CLOSED: return proxy_wasm::FailurePolicy::Closed;
    default:
      place.field("failure_policy")
          .fault(FaultKind::Unknown, fmt::format("unknown value {}", static_cast<int>(plugin.failure_policy())));
      return proxy_wasm::FailurePolicy::Closed;
  }
}

}  // namespace

proxy_wasm::PluginSpec convertPlugin(const wasm::PluginConfig& plugin, const Place& place,
                                     const Conversion& conversion) {
  proxy_wasm::PluginSpec spec;
  spec.name = plugin.name();
  conversion.plugin_names.insert(spec.name);
  spec.root_id = plugin.root_id();
  if (!plugin.has_vm_config()) place.field("vm_config").fault(FaultKind::Rule, "is required");
  spec.vm = convertVm(plugin.vm_config(), plugin.name(), place.field("vm_config"), conversion.options);
  spec.configuration = configurationBytes(plugin.configuration());
  spec.failure_policy = convertPolicy(plugin, place);
  spec.legacy_fail_open = plugin.fail_open();
  const auto& backoff = plugin.reload_config().backoff();
  if (backoff.has_max_interval()) {  // As Envoy.
    place.field("reload_config")
        .field("backoff")
        .field("max_interval")
        .notice("accepted, without effect: a plugin is reloaded after base_interval each time");
  }
  if (backoff.has_base_interval()) {
    spec.reload_backoff =
        convertDuration(backoff.base_interval(), place.field("reload_config").field("backoff").field("base_interval"));
  }
  spec.allow_on_headers_stop_iteration = plugin.allow_on_headers_stop_iteration().value();
  spec.allowed_capabilities = convertCapabilities(plugin.vm_config().capability_restriction_config());
  // Where it stood before it moved to the VM.
  if (!spec.allowed_capabilities)
    spec.allowed_capabilities = convertCapabilities(plugin.capability_restriction_config());
  return spec;
}

const SupportTables& pluginSupport() {
  static const SupportTables kTables{
      {"envoy.extensions.filters.http.wasm.v3.Wasm", {{"config"}}},
      {"envoy.extensions.wasm.v3.WasmService", {{"config"}, {"singleton"}}},
      {"envoy.extensions.stat_sinks.wasm.v3.Wasm", {{"config"}}},
      {"envoy.extensions.wasm.v3.PluginConfig",
       {{"name"},
        {"root_id"},
        {"vm_config"},
        {"configuration"},
        {"fail_open"},
        {"failure_policy"},
        {"reload_config"},
        {"capability_restriction_config"},
        {"allow_on_headers_stop_iteration"}}},
      {"envoy.extensions.wasm.v3.VmConfig",
       {{"vm_id"},
        {"runtime"},
        {"code"},
        {"configuration"},
        {"allow_precompiled"},
        {"environment_variables"},
        {"capability_restriction_config"},
        {"nack_on_code_cache_miss"}}},
      {"envoy.extensions.wasm.v3.EnvironmentVariables", {{"host_env_keys"}, {"key_values"}}},
      {"envoy.extensions.wasm.v3.CapabilityRestrictionConfig", {{"allowed_capabilities"}}},
      {"envoy.extensions.wasm.v3.SanitizationConfig", {}},
      {"envoy.extensions.wasm.v3.ReloadConfig", {{"backoff"}}},
      {"envoy.config.core.v3.BackoffStrategy", {{"base_interval"}, {"max_interval"}}},
      {"envoy.config.core.v3.AsyncDataSource", {{"local"}, {"remote"}}},
      {"envoy.config.core.v3.RemoteDataSource", {{"http_uri"}, {"sha256"}, {"retry_policy"}}},
      {"envoy.config.core.v3.HttpUri", {{"uri"}, {"cluster"}, {"timeout"}}},
      {"envoy.config.core.v3.RetryPolicy", {{"retry_back_off"}, {"num_retries"}}},
  };
  return kTables;
}

}  // namespace weir::config
