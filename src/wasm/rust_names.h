// Names as Rust's compilers write them since 2025 ("v0", RFC 2603): "_RNvNtCs1234_7example3sub3run" is
// example::sub::run.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::wasm {

// nullopt: it is no such name, or too long or too deep for a backtrace. Crates come without their hashes, lifetimes are
// left out. The name may say anything: what it costs is bounded.
std::optional<std::string> readableRustName(std::string_view mangled);

}  // namespace weir::wasm
