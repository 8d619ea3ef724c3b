// A connection between accept and its filter chain: its first bytes pass the listener filters.
//
// It reads into its own buffer and does not peek: what no filter takes is offered to whoever starts the stream next.
#pragma once

#include <memory>
#include <vector>

#include "event/loop.h"
#include "event/timer.h"
#include "listener/filter.h"
#include "net/byte_stream.h"

namespace weir::listener {

// Owned by the door, on the worker's thread. It ends in one of the two calls of Owner, unless it is destroyed before.
class Approach final : public event::Deferred, private net::ByteStream::Receiver {
 public:
  enum class End : uint8_t { Refused, ClientWent, Timeout };

  class Owner {
   public:
    // Every filter is done, or time is up and the listener goes on in spite of it. takeStream() and start it again
    // within this call. The approach must be kept alive until the end of the turn (Loop::destroyLater).
    virtual void onArrived(Approach& approach) = 0;
    // The connection is closed. As above.
    virtual void onTurnedAway(Approach& approach, End why) = 0;

   protected:
    ~Owner() = default;
  };

  struct Limits {
    base::Duration timeout = std::chrono::seconds(15);  // listener_filters_timeout; zero: none.
    bool continue_on_timeout = false;
  };

  Approach(event::Loop& loop, Owner& owner, std::unique_ptr<net::ByteStream> stream, Findings findings,
           std::vector<std::unique_ptr<Filter>> filters, const Limits& limits);
  ~Approach() override;

  // May tell the owner before it returns.
  void start();
  void closeNow() { turnAway(End::Refused); }

  // Only from within onArrived().
  std::unique_ptr<net::ByteStream> takeStream() { return std::move(stream_); }
  Findings& findings() { return findings_; }
  bool timedOut() const { return timed_out_; }
  base::MonotonicTime began() const { return began_; }
  // For a connection that nobody will serve.
  void refuse(net::ByteStream& stream) const;

 private:
  // net::ByteStream::Receiver
  void onBytes(base::BufferChain& received) override;
  void onEnd() override { turnAway(End::ClientWent); }
  void onClosed(const base::Error& why) override { turnAway(End::ClientWent); }
  void onTimeout();
  // False if one of them waits or has refused.
  bool passFilters(base::BufferChain& received);
  void arrive();
  void turnAway(End why);

  Owner& owner_;
  std::unique_ptr<net::ByteStream> stream_;
  Findings findings_;
  std::vector<std::unique_ptr<Filter>> filters_;
  const Limits limits_;
  const base::MonotonicTime began_;
  size_t next_ = 0;      // The filter whose turn it is.
  bool unread_ = false;  // The client has sent something that no filter has taken.
  bool timed_out_ = false;
  bool over_ = false;
  event::Timer timer_;
};

}  // namespace weir::listener
