// The command line's words on what plugins may use: --plugin-KEY VALUE for all, --plugin-limit NAME:KEY=VALUE for some.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "proxy_wasm/budgets.h"

namespace weir::cli {

struct LimitFlag {
  const char* key;  // "call-ms": --plugin-call-ms, and the key in --plugin-limit.
  uint64_t least;
  uint64_t most;
  const char* help;
  void (*put)(proxy_wasm::BudgetChange& change, uint64_t value);
};

std::span<const LimitFlag> limitFlags();

// One value of --plugin-limit, "NAME:KEY=VALUE" with more ",KEY=VALUE"; NAME may hold colons. Error (side Operator):
// what is wrong with it; nothing was changed.
base::Result<void> addPluginLimit(std::string_view text, proxy_wasm::BudgetRules& rules);

}  // namespace weir::cli
