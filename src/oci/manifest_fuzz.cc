// What a registry says: manifests and indexes, challenges, tokens, errors. Must end, and give only digests that are
// ones.
#include <cstdint>
#include <cstdlib>

#include "oci/challenge.h"
#include "oci/credentials.h"
#include "oci/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir::oci;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  for (const char* type : {"application/vnd.oci.image.index.v1+json", ""}) {
    const auto manifest = readManifest(input, type);
    if (!manifest.ok()) continue;
    const auto chosen = manifest->index ? chooseManifest(*manifest) : chooseLayer(*manifest);
    if (chosen.ok() && (!isDigest(chosen->digest) || (!manifest->index && chosen->size > kMaxLayerBytes))) std::abort();
  }
  const ImageName image{.registry = "r", .repository = "p", .tag = "t", .digest = ""};
  (void)tokenUri(readChallenge(input), image);
  (void)readToken(input);
  if (errorWords(0, input).size() > 300) std::abort();
  if (const auto credentials = Credentials::parse(input); credentials.ok()) (void)credentials->basicFor(image);
  if (const auto name = parseImageName(input); name.ok() && name->text().find_first_of("\r\n ") != std::string::npos) {
    std::abort();
  }
  return 0;
}
