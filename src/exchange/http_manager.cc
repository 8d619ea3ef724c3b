#include "exchange/http_manager.h"

namespace weir::exchange {

bool HttpManager::asksToGo() const {
  if (!draining) return false;
  const base::Duration elapsed = loop.now() - drain_began;
  if (elapsed >= drain_over) return true;
  return static_cast<int64_t>(random.below(static_cast<uint64_t>(drain_over.count()))) < elapsed.count();
}

}  // namespace weir::exchange
