// A listening socket on a loop: gives out accepted sockets.
//
// Each worker has its own socket for the same address (SO_REUSEPORT), so that the kernel spreads connections and no
// lock is shared. When the process is out of descriptors the listener rests for kRestAfterExhaustion instead of
// spinning on a readiness it cannot serve.
#pragma once

#include <memory>

#include "event/lifeline.h"
#include "event/loop.h"
#include "event/timer.h"
#include "net/address.h"
#include "net/fd.h"

namespace weir::net {

struct ListenOptions {
  int backlog = 1024;
  bool reuse_port = true;
  bool v6_only = true;   // Whether an IPv6 wildcard leaves IPv4 alone.
  int unix_mode = 0;     // Permission bits of a Unix socket's file; 0: as the umask says.
  bool no_delay = true;  // TCP_NODELAY, which accepted sockets inherit.
};

class Listener final : private event::IoHandler {
 public:
  static constexpr base::Duration kRestAfterExhaustion = std::chrono::milliseconds(100);
  // Sockets taken at most in one turn, so that a storm of connections does not starve those that are open.
  static constexpr int kMostAcceptedPerTurn = 64;

  class Acceptor {
   public:
    // A connected, non-blocking socket. May close or destroy the listener.
    virtual void onAccepted(Fd socket, const Address& peer) = 0;
    // accept() failed for a reason of ours (descriptors, memory); the listener rests and goes on by itself.
    virtual void onAcceptFailed(const base::Error& why) { (void)why; }

   protected:
    ~Acceptor() = default;
  };

  // Binds. Port 0 gives a free port, see address(). A Unix socket's stale file is replaced. Errors are the operator's
  // (address in use, not permitted, no such interface).
  static base::Result<std::unique_ptr<Listener>> bind(event::Loop& loop, const Address& address,
                                                      const ListenOptions& options, Acceptor& acceptor);
  // The first half of bind(): for who hands the socket on to another loop.
  static base::Result<Fd> bindSocket(const Address& address, const ListenOptions& options);
  // Of a bound socket: who connects from here on waits in the kernel's queue for whoever adopts and starts it.
  static base::Result<void> listen(const Fd& socket, const ListenOptions& options);
  // Takes over a bound socket from another worker or process: it may be listening already.
  static base::Result<std::unique_ptr<Listener>> adopt(event::Loop& loop, Fd socket, const ListenOptions& options,
                                                       Acceptor& acceptor);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Listens and begins to accept.
  base::Result<void> start();
  // While paused, connections wait in the kernel's queue.
  void pause();
  void resume();
  // Accepts what the kernel has queued already (it would reset those), then closes. Nothing is told afterwards.
  void close();
  // Closes and leaves what the kernel has queued: another descriptor of the same socket goes on with it.
  void abandon();

  // Of a bound socket.
  static Address addressOf(const Fd& socket);
  const Address& address() const { return address_; }
  int fd() const { return socket_.get(); }

 private:
  Listener(event::Loop& loop, Fd socket, const ListenOptions& options, Acceptor& acceptor);
  void onIo(uint32_t events) override;
  // False if there is no more to accept now, or nobody to accept it.
  bool acceptOne();
  void rest(int error);
  void setInterest(bool accepting);

  event::Loop& loop_;
  Fd socket_;
  Address address_;
  ListenOptions options_;
  Acceptor& acceptor_;
  event::Timer rest_;
  bool watched_ = false;
  bool paused_ = false;
  event::Lifeline lifeline_;
};

}  // namespace weir::net
