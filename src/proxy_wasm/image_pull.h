// Pulls an image's plugin from its registry (OCI distribution specification): the manifest, where it is an index the
// one for WebAssembly, and the one layer that has the plugin.
//
// Every document and layer is held against its digest and size before it is looked at. What the registry asks for on
// the way is done within bounds: credentials where it answers 401, a token from its token service, a few redirections.
// Other hosts are only gone to where the operator has said by which cluster (RegistrySettings::hosts): a registry must
// not be able to send requests wherever it likes in our network.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "oci/image_name.h"
#include "proxy_wasm/fetch.h"

namespace weir::proxy_wasm {

enum class PullPolicy : uint8_t { IfNotPresent, Always };

// What the operator says about all registries.
struct RegistrySettings {
  std::string credentials_file = {};              // Read for each pull, because such secrets change. Empty: none.
  std::optional<PullPolicy> policy = {};          // Nothing: Always for the tag "latest", else IfNotPresent; as Istio.
  std::map<std::string, std::string> hosts = {};  // Cluster by host (or host:port), besides the registry.
};

// A host, or host:port, as RegistrySettings::hosts has it: in small letters (RFC 3986 3.2.2).
std::string hostKey(std::string_view host);

struct ImagePull {
  oci::ImageName image;
  std::string cluster;
  base::Duration timeout{};       // Of each request.
  std::string known_digest = {};  // Of the copy that is here; empty: none.
};

struct PulledImage {
  std::string digest;      // Of what the name means: a manifest or an index.
  bool unchanged = false;  // It is the known digest: then there is no module.
  std::string module = {};
};

constexpr int kMaxRedirects = 5;
constexpr size_t kMaxTokenBytes = 64 * 1024;

// Told once, never within the call. Error: the request that failed with what was answered, and whether trying again can
// help; code TooLarge: something is over its limit.
void pullImage(ImagePull pull, const RegistrySettings& settings, const Fetch& fetch,
               std::function<void(base::Result<PulledImage>)> pulled);

}  // namespace weir::proxy_wasm
