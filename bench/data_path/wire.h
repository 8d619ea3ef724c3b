// A connection without a socket: what its other end says is handed over as a socket's bytes are, and what is written is
// shown to the other end at once.
//
// It wakes the loop by an eventfd, so that a message costs the loop what it does on a socket: one event, one look-up.
// What a socket stream has beyond that (limits, pauses, time-outs, an end) it has not.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "event/loop.h"
#include "net/byte_stream.h"

namespace weir::bench {

// Who speaks at the other end. Outlives the wire.
class Speaker {
 public:
  // bytes: what was written; gone after the call.
  virtual void onWritten(const base::BufferChain& bytes) = 0;

 protected:
  ~Speaker() = default;
};

class Wire final : public net::ByteStream, private event::IoHandler {
 public:
  Wire(event::Loop& loop, Speaker& speaker, const net::Address& local, const net::Address& peer);
  ~Wire() override;

  // The other end says this, in the loop's next turn. text must live till then.
  void say(std::string_view text);
  // Before start(): it has to connect, which it will.
  void beginConnecting() { connecting_ = true; }

  void start(Receiver& receiver) override;
  void write(base::BufferChain& bytes) override;
  void pauseReading() override {}
  void resumeReading() override {}
  void finishWriting() override {}
  void close(Close how) override;
  size_t unsent() const override { return 0; }
  void setHighWatermark(size_t) override {}
  const net::Address& local() const override { return local_; }
  const net::Address& peer() const override { return peer_; }

 private:
  void onIo(uint32_t events) override;

  event::Loop& loop_;
  Speaker& speaker_;
  const net::Address local_;
  const net::Address peer_;
  const int wake_;
  bool connecting_ = false;
  bool closed_ = false;
  Receiver* receiver_ = nullptr;
  std::string_view said_;
  base::BufferChain received_;
};

}  // namespace weir::bench
