// Files of our own in a directory of our own: nobody else could have written them, and readers see them whole.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>

#include "base/result.h"
#include "wasm/descriptor.h"

namespace weir::wasm {

// Opens the directory, making it (0700, and its parents) if it is not there. Error unless it is ours and closed to
// others.
base::Result<Descriptor> openPrivateDirectory(const std::string& path);

// Opens a regular file for reading. Code NotFound if there is none; Refused if it is not ours alone.
base::Result<Descriptor> openPrivateFile(int directory, const std::string& name);

// Writes the parts, one after the other, to a new file (0600) under a passing name, and returns that name.
base::Result<std::string> writeAside(int directory, std::initializer_list<std::span<const std::byte>> parts);
// All of the bytes to an open file; false: that failed, and errno says why.
bool writeAll(int file, std::span<const std::byte> bytes);
// What writeAside() calls its files; whoever finds an old one may remove it.
bool isPassingName(std::string_view name);

// The last error of the system as an Error with side Operator: "<what>: <its words>".
base::Error systemError(std::string what);

}  // namespace weir::wasm
