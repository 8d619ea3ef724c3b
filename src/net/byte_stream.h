// A connection as two queues of bytes: TCP, a Unix socket, TLS over either, or a pair in memory for tests.
//
// Reading: as long as it is not paused, the stream hands over what came in; what the receiver leaves in the buffer is
// offered again together with what comes next (what it leaves above the high watermark pauses the stream). Writing:
// write() sends at once what the socket takes and keeps the rest; above the high watermark the receiver is told
// onBlocked(), and onDrained() when the rest has gone below half of it. The stream never refuses bytes: stopping is the
// writer's duty, the watermark tells when.
#pragma once

#include <memory>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/address.h"
#include "net/tls_info.h"

namespace weir::net {

class ByteStream {
 public:
  // Told by the stream, on its loop's thread. Any of them may close() or destroy the stream.
  class Receiver {
   public:
    // A stream that connects has done so. Not within start(); never for a stream that was accepted.
    virtual void onConnected() {}
    virtual void onBytes(base::BufferChain& received) = 0;
    // The peer has finished sending (FIN, close_notify). Writing may still work.
    virtual void onEnd() = 0;
    // The stream is dead: reset, refused, timed out, or an error while sending. Not told after close(). Nothing
    // follows.
    virtual void onClosed(const base::Error& why) = 0;
    // May be told within write().
    virtual void onBlocked() {}
    virtual void onDrained() {}
    // After close(Flush): everything was handed to the kernel (or the peer went away) and the socket is closed.
    virtual void onFlushed() {}

   protected:
    ~Receiver() = default;
  };

  static constexpr base::Duration kFlushLimit = std::chrono::seconds(5);
  static constexpr base::Duration kLingerLimit = std::chrono::seconds(1);

  enum class Close : uint8_t {
    Now,    // Unsent bytes are dropped.
    Flush,  // Unsent bytes go first, for as long as the peer takes some each kFlushLimit; then FIN, and the socket
            // lingers for the peer's FIN at most one second, so that the kernel does not turn unread input into a reset
            // that eats our last bytes.
    Reset,  // RST.
  };

  virtual ~ByteStream() = default;  // As close(Now).

  // Begins to deliver. The receiver must live until close() or the stream's end. An accepted stream that is plain (a
  // socket's, or one in memory) may be started again, also from within its receiver's callback: that hands it to
  // another receiver, which is offered what the first one left before anything else.
  virtual void start(Receiver& receiver) = 0;
  // Takes all of bytes; drops them if the stream is dead, closed or finished. Before the stream is connected they wait.
  virtual void write(base::BufferChain& bytes) = 0;
  // Not counted. A paused stream still tells of a reset. resumeReading() offers bytes that the receiver had left, or
  // that came before the pause, in the next turn; it may also be called for that without a pause.
  virtual void pauseReading() = 0;
  virtual void resumeReading() = 0;
  // No more will be written: FIN once what is queued has gone.
  virtual void finishWriting() = 0;
  // Calls nothing back before it returns. After it only onFlushed() is told, and only after Flush.
  virtual void close(Close how) = 0;

  virtual size_t unsent() const = 0;
  virtual void setHighWatermark(size_t bytes) = 0;  // Default 1 MiB, as Envoy's per_connection_buffer_limit_bytes.
  virtual const Address& local() const = 0;
  virtual const Address& peer() const = 0;
  // Null for a plain stream, and for TLS before its handshake is complete (an accepted stream; one that connects has
  // completed it when onConnected() is told). Lives as long as the stream.
  virtual const TlsInfo* tls() const { return nullptr; }
};

}  // namespace weir::net
