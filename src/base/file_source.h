// A file that configuration is taken from, again whenever it changes: Envoy's ConfigSource with a path.
#pragma once

#include <string>

namespace weir::base {

struct FileSource {
  std::string path;
  // Where not empty: the directory whose entries' moves count as the change, not the file's own (Kubernetes).
  std::string watched_directory;
  friend auto operator<=>(const FileSource&, const FileSource&) = default;
};

}  // namespace weir::base
