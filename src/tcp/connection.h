// A client's connection that is served by network filters: a byte stream, and the filters in their order.
//
//   client -> onData: first .. last filter        (the last one ends the chain: the TCP proxy, echo, ...)
//   client <- onWrite: last .. first filter
//
// Owned by the listener's worker through Owner. Each direction has a buffer for what a filter has left; above the
// stream's high watermark the client is not read, and later filters are told onBlocked() when a filter has left so much
// of what is written. Half-close: the client's end is told to the filters and the other
// direction goes on; the connection is over when both have ended or somebody closes it.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "event/loop.h"
#include "filter/stream_info.h"
#include "tcp/filter.h"

namespace weir::tcp {

// What all connections of a filter chain share on one worker. Outlives its connections.
struct Chain {
  event::Loop& loop;
  std::vector<std::unique_ptr<FilterFactory>> filters;
  size_t buffer_limit = 1024 * 1024;
  // Told once per connection, at its end, after the filters; may be empty.
  std::function<void(const filter::StreamInfo&)> log = {};
};

class Connection final : public event::Deferred, private net::ByteStream::Receiver {
 public:
  class Owner {
   public:
    // The connection is closed, and what was to be flushed has gone. The owner must keep it alive until the end of the
    // turn (Loop::destroyLater).
    virtual void onConnectionClosed(Connection& connection) = 0;

   protected:
    ~Owner() = default;
  };

  // last: a filter behind those of the chain; may be null.
  Connection(Chain& chain, Owner& owner, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info,
             std::unique_ptr<Filter> last = nullptr);
  ~Connection() override;

  // May close before it returns.
  void start();
  void closeNow() { close(net::ByteStream::Close::Now, Ending::Local); }
  const filter::ConnectionInfo& info() const { return connection_info_; }
  // Bytes on their way to the client, those too that a filter has left.
  size_t unsent() const;

 private:
  class Link;
  friend class Link;

  // net::ByteStream::Receiver
  void onBytes(base::BufferChain& received) override;
  void onEnd() override;
  void onClosed(const base::Error& why) override;
  void onBlocked() override;
  void onDrained() override;
  void onFlushed() override { owner_.onConnectionClosed(*this); }

  // From this filter on.
  void passData(size_t from);
  void passWrite(size_t before, base::BufferChain& bytes, bool end);
  void noteHeld(size_t index);
  void finishIfBothEnded(Ending ending);
  void adjustReading();
  void close(net::ByteStream::Close how, Ending ending);

  Chain& chain_;
  Owner& owner_;
  std::unique_ptr<net::ByteStream> stream_;
  filter::ConnectionInfo connection_info_;
  filter::StreamInfo info_;
  std::vector<std::unique_ptr<Link>> links_;
  base::BufferChain received_;  // Come, and left by some filter.
  bool peer_ended_ = false;     // Its FIN has come; told to filters with received_.
  bool finished_ = false;       // Ours has gone.
  bool paused_ = false;         // By a filter.
  bool paused_by_limit_ = false;
  bool started_ = false;
  bool closed_ = false;
};

}  // namespace weir::tcp
