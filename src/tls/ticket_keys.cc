#include "tls/ticket_keys.h"

#include <cstring>
#include <span>

#include "base/random.h"
#include "tls/openssl.h"

namespace weir::tls {

base::Result<void> TicketKeys::configure(const std::vector<std::string>& keys) {
  std::vector<TicketKey> parsed;
  for (const std::string& bytes : keys) {
    if (bytes.size() != kConfiguredBytes) {
      return operatorError("a session ticket key is " + std::to_string(bytes.size()) + " bytes long, not 80");
    }
    std::memcpy(&parsed.emplace_back(), bytes.data(), kConfiguredBytes);
  }
  const std::lock_guard lock(mutex_);
  if (keys.empty() && random_) return base::Ok{};
  random_ = keys.empty();
  keys_ = std::move(parsed);
  return base::Ok{};
}

void TicketKeys::rotate() {
  if (!random_) return;
  const base::MonotonicTime now = clock_.monotonic();
  if (!keys_.empty() && now < made_ + kLifetime) return;
  TicketKey fresh;
  base::secureRandom(std::as_writable_bytes(std::span(&fresh, 1)));
  const bool previous_lives = !keys_.empty() && now < made_ + 2 * kLifetime;
  if (previous_lives) {
    keys_ = {fresh, keys_.front()};
  } else {
    keys_ = {fresh};
  }
  made_ = now;
}

TicketKey TicketKeys::current() {
  const std::lock_guard lock(mutex_);
  rotate();
  return keys_.front();
}

std::optional<TicketKeys::Found> TicketKeys::find(const unsigned char* name) {
  const std::lock_guard lock(mutex_);
  rotate();
  for (const TicketKey& key : keys_) {
    if (std::memcmp(key.name.data(), name, key.name.size()) == 0) return Found{key, &key != &keys_.front()};
  }
  return std::nullopt;
}

}  // namespace weir::tls
