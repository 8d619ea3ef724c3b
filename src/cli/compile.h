// weir compile: embeds native code in a plugin, signed, so that a proxy need not compile it (wasm/native_code.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::cli {

// The first argument of a process that compiles a module for the proxy that started it (wasm/compile_aside.h).
inline constexpr std::string_view kCompileForParent = "compile-for-parent";

// The arguments after "compile". Says on standard error what is wrong; the exit code of the process.
int compile(std::vector<std::string> arguments);

}  // namespace weir::cli
