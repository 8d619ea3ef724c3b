// What a registry says an image consists of (OCI image specification: manifest, index, descriptor; and Docker's forms
// of them), and which part of it is the plugin.
//
// A document is only read once its own digest was verified: it says the digest and the size of everything below it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir::oci {

constexpr size_t kMaxManifestBytes = 1024 * 1024;
constexpr size_t kMaxLayerBytes = 64 * 1024 * 1024;  // As the engine's largest module.

// The kinds of documents that readManifest() knows, as an Accept header.
extern const std::string_view kManifestTypes;

struct Descriptor {
  std::string media_type;
  std::string digest;  // isDigest().
  uint64_t size = 0;
  std::string os = {};            // In an index.
  std::string architecture = {};  // In an index.
};

struct Manifest {
  bool index = false;               // Then the parts are manifests, one for each platform.
  std::string config_type;          // Media type of the configuration; empty in an index.
  std::vector<Descriptor> parts{};  // Layers, the lowest first.
};

// content_type: what the registry called it; where the document says itself what it is, that counts.
base::Result<Manifest> readManifest(std::string_view json, std::string_view content_type);

// The manifest for WebAssembly, or else the first one.
base::Result<Descriptor> chooseManifest(const Manifest& index);

// The layer that has the plugin, in the three layouts that people push: a layer of a Wasm media type beside a
// configuration of its own; the last layer of a Docker or OCI image, an archive; the one layer there is, whatever it
// calls itself. Error TooLarge: it is over kMaxLayerBytes.
base::Result<Descriptor> chooseLayer(const Manifest& manifest);

// Whether the media type says that the layer is the module itself, or an archive.
bool isWasmType(std::string_view media_type);
bool isArchiveType(std::string_view media_type);

}  // namespace weir::oci
