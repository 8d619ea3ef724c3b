#include "proxy_wasm/breaker_board.h"

#include <fmt/format.h>

#include <utility>

namespace weir::proxy_wasm {

void BreakerBoard::onOpened(const std::string& plugin, std::string cause) {
  const std::lock_guard lock(mutex_);
  Open& open = open_[plugin];
  ++open.workers;
  open.cause = std::move(cause);
}

void BreakerBoard::onClosed(const std::string& plugin) {
  const std::lock_guard lock(mutex_);
  const auto at = open_.find(plugin);
  if (at != open_.end() && --at->second.workers == 0) open_.erase(at);
}

std::vector<std::string> BreakerBoard::lines() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> lines;
  for (const auto& [plugin, open] : open_) {
    lines.push_back(fmt::format("breaker open: plugin {}: on {} worker{}, its instances die: {}", plugin, open.workers,
                                open.workers == 1 ? "" : "s", open.cause));
  }
  return lines;
}

}  // namespace weir::proxy_wasm
