#include "oci/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "oci/image_name.h"
#include "oci/json.h"

namespace weir::oci {

const std::string_view kManifestTypes =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json";

namespace {

base::Error malformed(std::string what) {
  return {base::Code::Malformed, base::Side::Upstream, base::Retry::No, std::move(what)};
}

base::Result<Descriptor> readDescriptor(const Json& json, std::string_view what) {
  Descriptor descriptor{.media_type = textOf(json, "mediaType"), .digest = textOf(json, "digest")};
  if (!isDigest(descriptor.digest)) return malformed(fmt::format("{} has no sha256 digest", what));
  const auto size = numberOf(json, "size");
  if (!size) return malformed(fmt::format("{} has no size", what));
  descriptor.size = *size;
  if (const Json* platform = member(json, "platform")) {
    descriptor.os = textOf(*platform, "os");
    descriptor.architecture = textOf(*platform, "architecture");
  }
  return descriptor;
}

bool isIndexType(std::string_view type) {
  return type == "application/vnd.oci.image.index.v1+json" ||
         type == "application/vnd.docker.distribution.manifest.list.v2+json";
}

}  // namespace

base::Result<Manifest> readManifest(std::string_view json, std::string_view content_type) {
  if (json.size() > kMaxManifestBytes) {
    return base::Error{base::Code::TooLarge, base::Side::Upstream, base::Retry::No,
                       fmt::format("the manifest is over {} bytes", kMaxManifestBytes)};
  }
  const auto document = format::readJson(json);
  if (!document) return malformed("the manifest is not JSON");
  if (numberOf(*document, "schemaVersion") != 2) return malformed("the manifest is not of schema version 2");

  // OCI image specification: mediaType may be left out.
  const std::string own_type = textOf(*document, "mediaType");
  Manifest manifest;
  manifest.index = isIndexType(own_type.empty() ? content_type.substr(0, content_type.find(';')) : own_type);
  const Json::List* parts = listOf(*document, manifest.index ? "manifests" : "layers");
  if (parts == nullptr || parts->empty()) {
    return malformed(manifest.index ? "the index lists no manifests" : "the manifest lists no layers");
  }
  for (const Json& each : *parts) {
    auto part = readDescriptor(each, manifest.index ? "a manifest in the index" : "a layer in the manifest");
    if (!part.ok()) return std::move(part).error();
    manifest.parts.push_back(*std::move(part));
  }
  if (const Json* config = member(*document, "config")) manifest.config_type = textOf(*config, "mediaType");
  return manifest;
}

base::Result<Descriptor> chooseManifest(const Manifest& index) {
  const auto fits = [](const Descriptor& each) {
    return each.architecture == "wasm" || each.architecture == "wasm32" || each.os.starts_with("wasi");
  };
  const auto found = std::ranges::find_if(index.parts, fits);
  return found == index.parts.end() ? index.parts.front() : *found;
}

bool isWasmType(std::string_view type) { return type.ends_with("+wasm") || type == "application/wasm"; }

bool isArchiveType(std::string_view type) {
  constexpr std::array<std::string_view, 5> kTypes{
      "application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.docker.image.rootfs.diff.tar",
      "application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.oci.image.layer.v1.tar", "application/x-tar"};
  return std::ranges::find(kTypes, type) != kTypes.end();
}

base::Result<Descriptor> chooseLayer(const Manifest& manifest) {
  const auto& layers = manifest.parts;
  const auto is_wasm = [](const Descriptor& layer) { return isWasmType(layer.media_type); };
  if (std::ranges::count_if(layers, is_wasm) > 1) return malformed("several layers are modules: which one is meant?");
  const auto module = std::ranges::find_if(layers, is_wasm);
  const Descriptor& layer = module != layers.end() ? *module : layers.back();
  if (module == layers.end() && layers.size() > 1 && !isArchiveType(layer.media_type)) {
    return malformed(fmt::format("none of {} layers is a module, and the last one no archive but '{}'", layers.size(),
                                 layer.media_type));
  }
  if (layer.size > kMaxLayerBytes) {
    return base::Error{base::Code::TooLarge, base::Side::Upstream, base::Retry::No,
                       fmt::format("the layer has {} bytes, over {}", layer.size, kMaxLayerBytes)};
  }
  return layer;
}

}  // namespace weir::oci
