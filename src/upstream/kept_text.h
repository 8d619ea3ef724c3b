// Texts that a cluster and its endpoints hand on to streams, which may outlive them. Null stands for none.
#pragma once

#include <memory>
#include <string>

namespace weir::upstream {

using KeptText = std::shared_ptr<const std::string>;

inline KeptText keepText(const std::string& text) {
  return text.empty() ? nullptr : std::make_shared<const std::string>(text);
}

inline bool sameText(const KeptText& a, const KeptText& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

}  // namespace weir::upstream
