// Names to addresses, on a loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/loop.h"
#include "net/address.h"

namespace weir::net {

// Which families to ask for, as Envoy's dns_lookup_family. Auto and V4Preferred ask for the second only if the first
// (IPv6; IPv4) has no answer; All gives both.
enum class LookupFamily : uint8_t { Auto, V4Only, V6Only, V4Preferred, All };

struct Resolved {
  struct Entry {
    Address address;  // With port 0.
    base::Duration ttl;
  };
  std::vector<Entry> entries;  // Never empty, in the order of the answer.
};

// One per worker. Tests put their own in its place.
class Resolver {
 public:
  // A question under way; destroying it drops the answer.
  class Query {
   public:
    virtual ~Query() = default;
  };
  using OnAnswer = std::function<void(base::Result<Resolved>)>;

  virtual ~Resolver() = default;
  // Calls on_answer exactly once, possibly within this call (then null is returned), never after the query was
  // destroyed. Errors: NotFound (no such name, or no address of the family) or Unavailable (no server answered).
  // on_answer may destroy the query.
  virtual std::unique_ptr<Query> resolve(std::string_view name, LookupFamily family, OnAnswer on_answer) = 0;
};

// IP literals are answered at once; then /etc/hosts; then the servers of /etc/resolv.conf, by c-ares, which neither
// blocks nor needs a thread. Queries must be gone before the resolver.
std::unique_ptr<Resolver> createResolver(event::Loop& loop);

// Asks these servers ("127.0.0.1:5353", comma-separated) instead, with one try of this length each.
std::unique_ptr<Resolver> createResolver(event::Loop& loop, const std::string& servers, base::Duration timeout);

}  // namespace weir::net
