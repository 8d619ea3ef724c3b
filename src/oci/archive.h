// Layers that are archives: tar, mostly compressed by gzip. Nothing of them is written anywhere: one file is read out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir::oci {

// Of all that an archive holds: what a small layer can be blown up to.
constexpr size_t kMaxUnpackedBytes = 128 * 1024 * 1024;

// RFC 1952, with several members one after the other. Error TooLarge: more than `most` bytes come out.
base::Result<std::string> gunzip(std::string_view bytes, size_t most);

// The content of the regular file of that name at the root of a tar archive (POSIX ustar, with the extensions of others
// passed over: they carry what names and sizes of a plugin never need). The view is into the archive.
base::Result<std::string_view> fileInTar(std::string_view archive, std::string_view name);

// The module in a layer of that media type: the layer itself, or plugin.wasm in it.
base::Result<std::string> moduleIn(std::string_view media_type, std::string layer);

}  // namespace weir::oci
