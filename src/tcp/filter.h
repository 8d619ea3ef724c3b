// The interface that stands between a client's bytes and what serves them: network filters, in order for what the
// client sends, in reverse order for what is sent to it.
//
// One object per filter and connection, on the worker's thread. A filter reaches its connection through a handle, given
// to it before the first callback. Calls on the handle may lead to further callbacks before they return; a filter that
// cannot bear that (because guest code is on the stack) queues them itself. After close() no callback follows but
// onClosed(), and the connection lives until the end of the turn.
#pragma once

#include <memory>
#include <string_view>

#include "base/buffer.h"
#include "event/loop.h"
#include "filter/stream_info.h"
#include "net/byte_stream.h"

namespace weir::tcp {

enum class Pass : uint8_t {
  Continue,
  // Later filters do not see it yet. What is left in the buffer is offered again, together with what comes next or by
  // continueReading() / continueWriting().
  Stop,
};

// How a client's connection came to its end.
enum class Ending : uint8_t {
  Local,     // We closed it.
  Remote,    // Both sides have finished, the client last, or it is gone.
  Finished,  // Both sides have finished, ours last.
  Reset,     // The peer has reset it: what is on its way for it is of no use.
};

class ConnectionHandle {
 public:
  virtual event::Loop& loop() = 0;
  virtual filter::StreamInfo& info() = 0;
  // Resumes what this filter has stopped, at the filter behind it.
  virtual void continueReading() = 0;
  virtual void continueWriting() = 0;
  // To the client, through the write side of the filters before this one. end: nothing follows, and the client is told.
  virtual void write(base::BufferChain& bytes, bool end) = 0;
  // Not counted.
  virtual void pauseReading() = 0;
  virtual void resumeReading() = 0;
  // reason: why we close it, for logs (%DOWNSTREAM_LOCAL_CLOSE_REASON%).
  virtual void close(net::ByteStream::Close how, std::string_view reason) = 0;
  void close(net::ByteStream::Close how) { close(how, {}); }

 protected:
  ~ConnectionHandle() = default;
};

class Filter {
 public:
  virtual ~Filter() = default;
  virtual void setHandle(ConnectionHandle& handle) = 0;
  virtual Pass onNewConnection() = 0;
  // From the client. end: it has finished sending; told with the last bytes or behind them.
  virtual Pass onData(base::BufferChain& bytes, bool end) = 0;
  // To the client.
  virtual Pass onWrite(base::BufferChain& bytes, bool end) {
    (void)bytes, (void)end;
    return Pass::Continue;
  }
  // The client does not take what is written, and does again.
  virtual void onBlocked() {}
  virtual void onDrained() {}
  // The client's connection is over. The last call.
  virtual void onClosed(Ending ending) { (void)ending; }
};

// Makes a filter for a connection. One per configured filter and worker; outlives connections.
class FilterFactory {
 public:
  virtual ~FilterFactory() = default;
  virtual std::unique_ptr<Filter> create() = 0;
};

}  // namespace weir::tcp
