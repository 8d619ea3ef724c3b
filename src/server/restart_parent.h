// The running process's side of a hot restart: gives its successor what it asks for. Main thread.
//
// The successor asks one thing at a time and each is answered at once: its sockets, its counters, to drain, to end.
// Until it asks to drain nothing changes here, so that a successor that fails on its way does no harm; and one that
// goes away after that gives the listeners back.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "event/loop.h"
#include "net/address.h"
#include "server/restart_message.h"
#include "stats/stats.h"

namespace weir::server {

class RestartParent final : private event::IoHandler {
 public:
  class Owner {
   public:
    struct Listening {
      std::string key;  // See handOverKey().
      std::vector<int> descriptors;
    };
    virtual std::vector<Listening> listening() const = 0;
    // The admin endpoint's; descriptors empty if there is none.
    virtual Listening admin() const = 0;
    // The successor serves: stop accepting, ask clients to go.
    virtual void onSuccessorServes() = 0;
    // It has gone, after that and before it asked us to end.
    virtual void onSuccessorLost() = 0;
    // Our time is over.
    virtual void onSuccessorWantsEnd() = 0;

   protected:
    ~Owner() = default;
  };

  // socket: as listenForRestart() gives it.
  static base::Result<std::unique_ptr<RestartParent>> open(event::Loop& loop, net::Fd socket, Owner& owner,
                                                           stats::Store& stats, uint32_t epoch);
  ~RestartParent();

 private:
  RestartParent(event::Loop& loop, net::Fd socket, Owner& owner, stats::Store& stats, uint32_t epoch);
  void onIo(uint32_t events) override;
  void accept();
  void serve();
  void answer(const std::string& question);
  void sayListener(size_t index);
  void sayCounters();
  void forget();
  void say(std::string_view text, const std::vector<int>& descriptors = {});

  event::Loop& loop_;
  net::Fd socket_;
  net::Fd successor_;  // One at a time.
  Owner& owner_;
  stats::Store& stats_;
  const uint32_t epoch_;
  bool greeted_ = false;
  bool drained_ = false;
  bool ending_ = false;
  std::map<std::string, uint64_t> told_;  // Of each counter, what the successor knows.
};

}  // namespace weir::server
