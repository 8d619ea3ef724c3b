// A plugin as configuration gives it: plain data, after envoy.extensions.wasm.v3.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "oci/image_name.h"

namespace weir::proxy_wasm {

enum class FailurePolicy : uint8_t { Closed, Open, Reload };

// Code that is fetched (vm_config.code.remote).
struct RemoteSource {
  std::string uri;
  std::optional<oci::ImageName> image;  // Of an oci:// URI.
  std::string cluster;
  base::Duration timeout{};
  std::string sha256;    // 64 small hex digits; may be empty for an image.
  uint32_t retries = 1;  // After the first try.
  base::Duration base_interval = std::chrono::seconds(1);
  base::Duration max_interval = std::chrono::seconds(10);
  // Without the code at hand the configuration is refused; the code is fetched for the next time.
  bool nack_on_miss = false;

  // Whether it is known beforehand what the code will be.
  bool pinned() const { return !sha256.empty() || (image && !image->digest.empty()); }
};

struct CodeSource {
  enum class Kind : uint8_t { File, Inline, Remote };
  Kind kind = Kind::File;
  std::string path;
  std::string bytes;
  RemoteSource remote = {};
};

struct VmSpec {
  std::string vm_id;
  std::string runtime;  // As written ("envoy.wasm.runtime.v8", or empty): only for stat names.
  CodeSource code;
  std::string configuration;  // Already unwrapped: StringValue and BytesValue give their value, Struct gives JSON.
  bool allow_precompiled = false;
  std::map<std::string, std::string> environment;  // Host keys already looked up.
};

struct PluginSpec {
  std::string name;
  std::string root_id;
  VmSpec vm;
  std::string configuration;
  FailurePolicy failure_policy = FailurePolicy::Closed;
  bool legacy_fail_open = false;  // fail_open: true, under which a stream in the faulty call goes on too.
  base::Duration reload_backoff = std::chrono::seconds(1);
  bool allow_on_headers_stop_iteration = false;
  // Non-empty: only these capabilities are linked.
  std::optional<std::vector<std::string>> allowed_capabilities;

  // Streams go on without it where it does not run.
  bool failsOpen() const { return legacy_fail_open || failure_policy == FailurePolicy::Open; }
  // Of the answer that a stream gets otherwise: Envoy's word, with the plugin's name.
  std::string failureDetails() const { return "wasm_fail_stream{" + name + "}"; }
};

// A plugin that serves no stream, after envoy.extensions.wasm.v3.WasmService.
struct ServiceSpec {
  PluginSpec plugin;
  bool singleton = false;  // One for the process instead of one per worker.
  std::string path;        // In the configuration, for messages.
};

}  // namespace weir::proxy_wasm
