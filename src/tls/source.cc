#include "tls/source.h"

#include <cerrno>
#include <fstream>
#include <system_error>

#include "tls/openssl.h"

namespace weir::tls {

base::Result<std::string> read(const Source& source) {
  if (source.file.empty()) return source.bytes;
  errno = 0;
  std::ifstream file(source.file, std::ios::binary);
  std::string bytes(kLargestFile + 1, '\0');
  if (file) file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file && !file.eof()) {
    return operatorError("cannot read '" + source.file + "': " + std::generic_category().message(errno));
  }
  bytes.resize(static_cast<size_t>(file.gcount()));
  if (bytes.size() > kLargestFile) return operatorError("'" + source.file + "' is larger than 8 MiB");
  return bytes;
}

}  // namespace weir::tls
