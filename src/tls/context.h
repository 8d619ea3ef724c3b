// What all TLS connections of one listener's filter chain, or of one cluster, share: keys, certificates, rules.
//
// An immutable snapshot, used by all workers at once. A reload makes a new one; a connection keeps the one that it was
// made with until it ends, and who hands them out keeps them in a Current.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/tls_info.h"
#include "tls/spec.h"
#include "tls/stats.h"
#include "tls/ticket_keys.h"

typedef struct ssl_st SSL;

namespace weir::tls {

class ServerContext {
 public:
  virtual ~ServerContext() = default;
  // Reads the files that spec names; all that can be wrong with them is an error here, the operator's. Secrets must
  // have been resolved.
  static base::Result<std::shared_ptr<const ServerContext>> create(const ServerSpec& spec, std::shared_ptr<Stats> stats,
                                                                   std::shared_ptr<TicketKeys> tickets);
  virtual Stats& stats() const = 0;
};

class ClientContext {
 public:
  virtual ~ClientContext() = default;
  // As ServerContext::create().
  static base::Result<std::shared_ptr<const ClientContext>> create(const ClientSpec& spec,
                                                                   std::shared_ptr<Stats> stats);
  virtual Stats& stats() const = 0;
  virtual const ClientSpec& spec() const = 0;
};

// The context that new connections get. Thread-safe; set() by whoever reloads. Null while a secret has not come.
template <typename Context>
class Current {
 public:
  Current() = default;
  explicit Current(std::shared_ptr<const Context> context) : context_(std::move(context)) {}
  std::shared_ptr<const Context> get() const { return context_.load(std::memory_order_acquire); }
  void set(std::shared_ptr<const Context> context) { context_.store(std::move(context), std::memory_order_release); }

 private:
  std::atomic<std::shared_ptr<const Context>> context_;
};

using CurrentServer = Current<ServerContext>;
using CurrentClient = Current<ClientContext>;

// The files that a context made of spec reads, for whoever watches them; with a watched_directory, that in their place.
std::vector<std::string> filesOf(const CommonSpec& spec);

}  // namespace weir::tls
