// The name of an image in a registry: oci://registry/repository:tag or @sha256:digest, as Istio's WasmPlugin has it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace weir::oci {

struct ImageName {
  std::string registry;    // host or host:port, as requests name it.
  std::string repository;  // One or more names, with slashes between them.
  std::string tag;         // "latest" where the URI has neither tag nor digest.
  std::string digest;      // "sha256:" and 64 small hex digits; where it is given, the tag says nothing.

  const std::string& reference() const { return digest.empty() ? tag : digest; }
  std::string text() const;  // The canonical form, without oci://.
};

bool isImageUri(std::string_view uri);

// Whether the text is "sha256:" with 64 small hex digits: no other digests are known here.
bool isDigest(std::string_view text);

// docker.io means registry-1.docker.io, and there a name alone means library/name, as for everybody else.
// Error (side Operator): what is wrong with it, without the URI.
base::Result<ImageName> parseImageName(std::string_view uri);

}  // namespace weir::oci
