// weir compile: embeds native code in a plugin, signed, so that a proxy need not compile it (wasm/native_code.h).
#pragma once

#include <string>
#include <vector>

namespace weir::cli {

// The arguments after "compile". Says on standard error what is wrong; the exit code of the process.
int compile(std::vector<std::string> arguments);

}  // namespace weir::cli
