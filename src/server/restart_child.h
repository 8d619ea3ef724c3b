// The new process's side of a hot restart: asks the one that runs for what it has. Main thread, blocking: each answer
// is there in milliseconds, or the restart fails.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/address.h"
#include "server/listener_table.h"
#include "server/restart_message.h"
#include "stats/stats.h"

namespace weir::server {

class RestartChild final : public InheritedSockets {
 public:
  static constexpr base::Duration kAnswerTime = std::chrono::seconds(5);

  // Greets the process by that name and takes all its sockets. An error: there is none, or it speaks another protocol.
  static base::Result<std::unique_ptr<RestartChild>> connect(const std::string& name);

  // InheritedSockets
  std::vector<net::Fd> take(const std::string& key, size_t workers) override;
  // The admin endpoint's socket, if it has that address; else closed.
  net::Fd takeAdmin(const net::Address& address);
  // Sockets that nobody took: the predecessor serves what is queued on them.
  void dropRest() { sockets_.clear(); }

  // This process serves; the other is to drain.
  void drainParent();
  // Adds what the other has counted since it was last asked. False: it has gone.
  bool takeCounters(stats::Store& stats);
  void endParent();

 private:
  struct Sockets {
    std::string key;
    std::vector<net::Fd> sockets;
  };
  explicit RestartChild(net::Fd parent) : parent_(std::move(parent)) {}
  base::Result<RestartMessage> ask(const std::string& question);
  base::Result<void> greet();
  base::Result<void> takeAll();

  net::Fd parent_;
  std::vector<Sockets> sockets_;
  Sockets admin_;
};

}  // namespace weir::server
