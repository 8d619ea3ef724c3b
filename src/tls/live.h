// Contexts that follow their files: what new connections get, and how it is made again when a certificate, a key, a CA
// or a secret changes.
//
// A change is read on the main thread. What cannot be used is refused: logged, counted, and the last good context
// stays. What can is there for all workers with the next connection; no open connection notices.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "event/file_watch.h"
#include "stats/stats.h"
#include "tls/context.h"

namespace weir::tls {

// Where changes come from. Must outlive what is made with it.
struct Following {
  event::FileWatch* files = nullptr;  // Null: nothing is followed (a configuration is only judged).
  // Puts the secrets that a spec refers to by path into it. Blocks on their files.
  std::function<base::Result<void>(CommonSpec&)> resolve;
};

// Envoy's counters of one secret: sds.<name>.*
struct SecretStats {
  SecretStats(stats::Store& store, const std::string& prefix);
  stats::Counter& update_attempt;
  stats::Counter& update_success;
  stats::Counter& update_rejected;
  stats::Counter& update_failure;
  stats::Counter& key_rotation_failed;
};

// What the two sides have in common.
class Live {
 public:
  virtual ~Live() = default;
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;
  const std::shared_ptr<Stats>& stats() { return stats_; }
  // A connection came while there was no context.
  void countNotReady() { not_ready_.add(); }

 protected:
  // prefix: "listener.127.0.0.1_443." or "cluster.web."; factory: "server_ssl_socket_factory".
  Live(const CommonSpec& spec, stats::Store& store, const std::string& prefix, std::string_view factory,
       std::string_view not_ready, Following following);
  // Makes the context. Without secrets an error is the configuration's. With secrets, what is wrong with them is not:
  // connections wait for a good one.
  base::Result<void> begin();
  // Reads all that spec refers to, and puts the context that follows in place.
  virtual base::Result<void> make() = 0;
  base::Result<void> resolve(CommonSpec& spec) const;

 private:
  void follow();
  void onChange();

  std::shared_ptr<Stats> stats_;  // Contexts share it: connections may outlive what made them.
  stats::Counter& updated_;
  stats::Counter& not_ready_;
  Following following_;
  std::string name_;  // For the log.
  std::vector<SecretStats> secrets_;
  std::vector<std::unique_ptr<event::FileWatch::Path>> paths_;

 protected:
  // The spec with its secrets as last read: what is watched follows from it.
  CommonSpec resolved_;
};

// Belongs to the main thread but for get() and the counters. May be destroyed while connections live: they keep their
// context, and it its counters' store.
class LiveServer final : public Live {
 public:
  static base::Result<std::shared_ptr<LiveServer>> create(ServerSpec spec, stats::Store& store,
                                                          const std::string& prefix, const base::Clock& clock,
                                                          Following following);
  // Thread-safe. Null while a secret has not come: the connection is to be closed.
  std::shared_ptr<const ServerContext> get() const { return current_.get(); }

 private:
  LiveServer(ServerSpec spec, stats::Store& store, const std::string& prefix, const base::Clock& clock,
             Following following);
  base::Result<void> make() override;
  const ServerSpec server_spec_;
  std::shared_ptr<TicketKeys> tickets_;
  CurrentServer current_;
};

class LiveClient final : public Live {
 public:
  static base::Result<std::shared_ptr<LiveClient>> create(ClientSpec spec, stats::Store& store,
                                                          const std::string& prefix, Following following);
  std::shared_ptr<const ClientContext> get() const { return current_.get(); }
  const ClientSpec& spec() const { return client_spec_; }

 private:
  LiveClient(ClientSpec spec, stats::Store& store, const std::string& prefix, Following following);
  base::Result<void> make() override;
  const ClientSpec client_spec_;
  CurrentClient current_;
};

}  // namespace weir::tls
