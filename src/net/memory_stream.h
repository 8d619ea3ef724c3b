// Two byte streams in memory, each the other's peer: for tests of what stands on ByteStream.
//
// What one end writes, the other hears in the loop's next turn. Test handles tell how much the "kernel" of an end
// takes, and whether a connecting end gets through.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "event/lifeline.h"
#include "event/loop.h"
#include "event/timer.h"
#include "net/byte_stream.h"

namespace weir::net {

class MemoryStream final : public ByteStream {
 public:
  // Two connected ends.
  static std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> pair(event::Loop& loop);
  ~MemoryStream() override;

  void start(Receiver& receiver) override;
  void write(base::BufferChain& bytes) override;
  void pauseReading() override { paused_ = true; }
  void resumeReading() override;
  void finishWriting() override;
  void close(Close how) override;
  size_t unsent() const override { return out_.size(); }
  void setHighWatermark(size_t bytes) override { high_watermark_ = bytes; }
  const Address& local() const override { return local_; }
  const Address& peer() const override { return peer_address_; }

  // --- For tests ---
  // Call before start(): this end is connecting until connectSucceeds() or connectFails().
  void beginConnecting() { connecting_ = true; }
  void connectSucceeds();
  void connectFails(base::Error why);
  // Of what this end writes, only so many more bytes are taken; the rest stays unsent. takeAll() lifts it.
  void takeAtMost(size_t bytes) { room_ = bytes; }
  void takeAll();
  bool paused() const { return paused_; }
  // How this end was closed, if it was.
  std::optional<Close> closedHow() const { return closed_; }

 private:
  MemoryStream(event::Loop& loop, std::string_view local, std::string_view peer);
  void transfer();
  void deliver();
  void fail(base::Error why);
  void wake() { timer_.arm(base::Duration::zero()); }
  bool dead() const { return closed_.has_value() || failed_; }

  MemoryStream* peer_ = nullptr;  // Null when it is gone.
  Address local_;
  Address peer_address_;
  Receiver* receiver_ = nullptr;
  base::BufferChain in_;       // Come, and not yet offered.
  base::BufferChain offered_;  // Offered, and left.
  base::BufferChain out_;
  size_t room_ = std::numeric_limits<size_t>::max();
  size_t high_watermark_ = 1024 * 1024;
  bool connecting_ = false;
  bool connected_to_tell_ = false;
  bool paused_ = false;
  bool blocked_ = false;
  bool finish_ = false;
  bool fin_sent_ = false;
  bool peer_finished_ = false;
  bool end_told_ = false;
  bool failed_ = false;
  std::optional<Close> closed_;
  std::optional<base::Error> failure_;  // To tell.
  event::Timer timer_;
  event::Lifeline lifeline_;
};

}  // namespace weir::net
