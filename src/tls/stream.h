// TLS over any byte stream, as a byte stream.
//
// What comes is decrypted as the receiver takes it: while it is paused nothing is, and the stream below is paused too.
// What is written is encrypted at once and waits in the stream below, whose watermarks count. The peer's close_notify
// is its end (RFC 8446 6.1); an end below without one is told as a reset, so that a cut answer is never taken for a
// whole one. Renegotiation, compression and early data are off.
//
// Bytes are copied twice on their way: from the chain to OpenSSL's record, and decrypted back to a chain.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "event/lifeline.h"
#include "event/loop.h"
#include "event/timer.h"
#include "net/byte_stream.h"
#include "tls/context.h"

namespace weir::tls {

class SessionStore;
class Session;  // OpenSSL's part of a stream.

// For one connection to a server.
struct ClientWish {
  std::string server_name;                 // SNI; empty: none.
  std::string expected_name;               // auto_san_validation; empty: the context's rules alone.
  std::vector<std::string> alpn_fallback;  // Where the context has no ALPN.
};

class Stream final : public net::ByteStream, private net::ByteStream::Receiver {
 public:
  // Most plain bytes that one record brings, and hence what is offered at once.
  static constexpr size_t kLargestRecord = 16 * 1024;

  // Of an accepted connection. handshake() first, then, when that has succeeded, start(). The owner sees to it that the
  // handshake ends in time.
  static std::unique_ptr<Stream> server(event::Loop& loop, std::unique_ptr<net::ByteStream> below,
                                        std::shared_ptr<const ServerContext> context);
  // Of a connection that below is to make: start() connects and shakes hands; onConnected() is told when both are done.
  // onClosed() has Timeout if that takes longer than timeout (zero: for ever). sessions, if any, must outlive the
  // stream.
  static std::unique_ptr<Stream> client(event::Loop& loop, std::unique_ptr<net::ByteStream> below,
                                        std::shared_ptr<const ClientContext> context, ClientWish wish,
                                        base::Duration timeout, SessionStore* sessions);
  ~Stream() override;

  // Server only. on_done is told once, never within this call: null, or why it failed, after which the stream is dead.
  // Not told if the stream is closed or destroyed before. It may destroy the stream.
  void handshake(std::function<void(const base::Error* failure)> on_done);
  // Null before the handshake is complete.
  std::shared_ptr<const net::TlsInfo> info() const { return info_; }

  // net::ByteStream
  void start(net::ByteStream::Receiver& receiver) override;
  void write(base::BufferChain& bytes) override;
  void pauseReading() override;
  void resumeReading() override;
  void finishWriting() override;
  void close(Close how) override;
  size_t unsent() const override { return below_->unsent() + plain_out_.size(); }
  void setHighWatermark(size_t bytes) override;
  const net::Address& local() const override { return below_->local(); }
  const net::Address& peer() const override { return below_->peer(); }
  const net::TlsInfo* tls() const override { return info_.get(); }

 private:
  enum class State : uint8_t {
    New,
    Handshaking,
    Open,
    Dead,  // Closed, failed or cut.
  };

  Stream(event::Loop& loop, std::unique_ptr<net::ByteStream> below, std::unique_ptr<Session> session, base::Side side);

  // net::ByteStream::Receiver
  void onConnected() override;
  void onBytes(base::BufferChain& received) override;
  void onEnd() override;
  void onClosed(const base::Error& why) override;
  void onBlocked() override;
  void onDrained() override;
  void onFlushed() override;

  net::ByteStream::Receiver& asReceiver() { return *this; }
  void onWake();
  void onTimeout();
  void advanceHandshake();
  void onHandshakeDone();
  void deliver();
  bool offer();
  void onCut();
  void encrypt(base::BufferChain& bytes);
  void flush();
  void fail(base::Error why);
  void holdBelow();

  event::Loop& loop_;
  std::unique_ptr<net::ByteStream> below_;
  std::unique_ptr<Session> session_;
  const base::Side side_;
  State state_ = State::New;
  net::ByteStream::Receiver* receiver_ = nullptr;
  std::function<void(const base::Error*)> on_handshake_;
  std::shared_ptr<const net::TlsInfo> info_;
  base::MonotonicTime handshake_began_{};
  base::BufferChain plain_in_;   // Decrypted, and left by the receiver.
  base::BufferChain plain_out_;  // Written before the handshake was complete.
  size_t high_watermark_ = 1024 * 1024;
  bool paused_ = false;
  bool below_paused_ = false;
  bool below_ended_ = false;  // FIN, or a reset that is told when what came before it was.
  bool end_told_ = false;
  bool finish_ = false;
  bool finish_sent_ = false;
  bool flushing_ = false;
  std::optional<base::Error> cut_;  // Why, where it was a reset.
  base::Duration timeout_ = base::Duration::zero();
  event::Timer wake_;  // What is to be told, but not within the call that led to it.
  event::Timer timeout_timer_;
  event::Lifeline lifeline_;
};

}  // namespace weir::tls
