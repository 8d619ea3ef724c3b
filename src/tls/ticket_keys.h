// The keys that session tickets are sealed with: one set for all workers, so that a client resumes wherever it lands,
// and kept over a reload of certificates.
//
// Without configured keys they are random and exchanged every kLifetime; tickets of the key before are still opened.
#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace weir::tls {

// As Envoy's 80 bytes: name, HMAC-SHA256 key, AES-256-CBC key.
struct TicketKey {
  std::array<unsigned char, 16> name;
  std::array<unsigned char, 32> hmac;
  std::array<unsigned char, 32> aes;
};

// Thread-safe: a lock is held for a copy, once a ticket (a handshake costs ten thousand times as much).
class TicketKeys {
 public:
  static constexpr base::Duration kLifetime = std::chrono::hours(12);
  static constexpr size_t kConfiguredBytes = sizeof(TicketKey);

  explicit TicketKeys(const base::Clock& clock) : clock_(clock) {}

  // Configured keys, each of kConfiguredBytes; none: random ones from now on.
  base::Result<void> configure(const std::vector<std::string>& keys);
  // The key that seals now.
  TicketKey current();
  struct Found {
    TicketKey key;
    bool renew;  // Not the one that seals now: the ticket should be replaced.
  };
  std::optional<Found> find(const unsigned char* name);

 private:
  void rotate();

  const base::Clock& clock_;
  std::mutex mutex_;
  std::vector<TicketKey> keys_;  // The first one seals.
  bool random_ = true;
  base::MonotonicTime made_{};
};

}  // namespace weir::tls
