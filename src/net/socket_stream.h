// A ByteStream over a TCP or Unix socket.
//
// System calls are what it spends (reference: performance 4.3): one recv per readiness unless it filled its room, sends
// at once and asks for writability only while the kernel refuses, keeps one epoll registration for life, and changes
// its interest on a pause only when bytes come in spite of it, so that a pause and resume within a turn cost nothing.
#pragma once

#include <memory>
#include <optional>

#include "event/lifeline.h"
#include "event/loop.h"
#include "event/timer.h"
#include "net/byte_stream.h"
#include "net/fd.h"

namespace weir::net {

class SocketStream final : public ByteStream, private event::IoHandler {
 public:
  // What one stream reads at most in a turn, so that a fast peer does not starve the others.
  static constexpr size_t kMostReadPerTurn = 64 * 1024;

  // A socket from a Listener; non-blocking already.
  static std::unique_ptr<SocketStream> accepted(event::Loop& loop, Fd socket, const Address& peer);
  // Connects when started. Told onConnected(), or onClosed() with Refused, Timeout (also by the system) or Io; detail
  // holds Envoy's words ("delayed connect error: Connection refused"). A timeout of zero is none.
  static std::unique_ptr<SocketStream> connect(event::Loop& loop, const Address& to, base::Duration timeout);
  ~SocketStream() override;

  void start(Receiver& receiver) override;
  void write(base::BufferChain& bytes) override;
  void pauseReading() override;
  void resumeReading() override;
  void finishWriting() override;
  void close(Close how) override;
  size_t unsent() const override { return out_.size(); }
  void setHighWatermark(size_t bytes) override { high_watermark_ = bytes; }
  const Address& local() const override;
  const Address& peer() const override { return peer_; }

 private:
  enum class State : uint8_t {
    New,
    Connecting,
    Open,
    Flushing,   // close(Flush): bytes are still to go.
    Lingering,  // All bytes went, and FIN: waiting for the peer's.
    Over,
  };

  SocketStream(event::Loop& loop, Fd socket, const Address& peer, base::Side side, base::Duration connect_timeout);

  void onIo(uint32_t events) override;
  void onTimer();

  void beginConnecting();
  void onConnectResult();
  base::Error connectError(std::string_view when, int error) const;

  void serveOpen(uint32_t events);
  void readSome(bool end_is_near);
  bool offer();
  void handOver(Receiver& receiver);
  void onEndOfInput();
  void onHangUp();

  bool sendSome();
  void onSendError(int error);
  void onSent();

  void beginLingering();
  void discardInput();
  void finish();

  void updateInterest();
  bool watch();
  void release();
  void fail(base::Error why);
  int takeSocketError();
  base::Error brokenBy(int error) const;

  event::Loop& loop_;
  Fd socket_;
  Address peer_;
  mutable std::optional<Address> local_;
  base::Side side_;
  base::Duration connect_timeout_;
  State state_ = State::New;
  bool connects_;
  bool watched_ = false;
  bool paused_ = false;
  bool muted_ = false;   // Paused, and the kernel was told so.
  bool ended_ = false;   // The peer's FIN was read.
  bool finish_ = false;  // finishWriting() was called.
  bool fin_sent_ = false;
  bool blocked_ = false;  // onBlocked() was told.
  bool bulk_ = false;     // The last read had more than one slab, or took all that there was room for.
  bool handed_ = false;   // To a receiver that has not been offered what the one before it left.
  int send_error_ = 0;    // What is in the kernel is read first: it may be the answer that explains the error.
  uint32_t interest_ = 0;
  std::optional<base::Error> start_error_;
  Receiver* receiver_ = nullptr;
  base::BufferChain received_;
  base::BufferChain out_;
  size_t high_watermark_ = 1024 * 1024;
  // By state: connecting: the time-out; open: an error or left bytes to tell; flushing, lingering: the limit.
  event::Timer timer_;
  event::Lifeline lifeline_;
};

}  // namespace weir::net
