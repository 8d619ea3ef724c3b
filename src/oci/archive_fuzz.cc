// A layer of any bytes, as an archive and as a compressed one: must end, stay within the bytes, and give what lies in
// them.
#include <cstdint>
#include <cstdlib>
#include <functional>

#include "oci/archive.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir::oci;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto file = fileInTar(input, "plugin.wasm");
  const std::less_equal<const char*> before;
  if (file.ok() && !(before(input.data(), file->data()) && before(file->data() + file->size(), input.data() + size))) {
    std::abort();
  }
  constexpr size_t kMost = 4 * 1024 * 1024;
  const auto unpacked = gunzip(input, kMost);
  if (unpacked.ok() && unpacked->size() > kMost) std::abort();
  if (unpacked.ok()) (void)fileInTar(*unpacked, "plugin.wasm");
  (void)moduleIn("", std::string(input));
  return 0;
}
