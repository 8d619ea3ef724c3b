#include "wasm/import_check.h"

#include <fmt/format.h>

#include <string>
#include <unordered_map>

namespace weir::wasm {
namespace {

constexpr size_t kMostNames = 20;  // A module may import thousands; the message stays readable.

struct Misfits {
  std::string first;  // The whole sentence.
  std::vector<std::string> others;

  void add(std::string name, std::string sentence) {
    if (first.empty()) {
      first = std::move(sentence);
    } else {
      others.push_back(std::move(name));
    }
  }

  base::Error error() && {
    std::string text = std::move(first);
    for (size_t i = 0; i < others.size() && i < kMostNames; ++i) {
      text += (i == 0 ? " (neither do these fit: " : ", ") + others[i];
    }
    if (others.size() > kMostNames) text += fmt::format(" and {} more", others.size() - kMostNames);
    if (!others.empty()) text += ')';
    return {base::Code::NotFound, base::Side::Operator, base::Retry::No, std::move(text)};
  }
};

using HostIndex = std::unordered_map<std::string, size_t>;

HostIndex indexOf(std::span<const HostImport> host) {
  HostIndex index;
  index.reserve(host.size());
  for (size_t i = 0; i < host.size(); ++i) index.emplace(fmt::format("{}.{}", host[i].module, host[i].name), i);
  return index;
}

}  // namespace

base::Result<std::vector<size_t>> findHostFunctions(const Module& module, std::span<const HostImport> host) {
  const HostIndex index = indexOf(host);
  std::vector<size_t> found;
  Misfits misfits;
  for (const Module::Import& import : module.imports()) {
    if (!import.is_function && !import.is_global) continue;  // The instance makes its memory and its tables.
    std::string name = fmt::format("{}.{}", import.module, import.name);
    const auto entry = import.is_function ? index.find(name) : index.end();
    if (entry == index.end()) {
      std::string sentence = fmt::format("Failed to load Wasm module due to a missing import: {}", name);
      misfits.add(std::move(name), std::move(sentence));
      continue;
    }
    const FunctionType& offered = host[entry->second].type;
    if (!(offered == import.type)) {
      std::string sentence =
          fmt::format("Failed to load Wasm module due to an import type mismatch: {}, want: {}, but host exports: {}",
                      name, toString(import.type), toString(offered));
      misfits.add(std::move(name), std::move(sentence));
      continue;
    }
    found.push_back(entry->second);
  }
  if (!misfits.first.empty()) return std::move(misfits).error();
  return found;
}

}  // namespace weir::wasm
