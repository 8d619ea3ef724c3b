#include "net/memory_stream.h"

#include <algorithm>

#include "base/check.h"

namespace weir::net {
namespace {

base::Error resetByPeer() {
  return {base::Code::Reset, base::Side::Upstream, base::Retry::No, "Connection reset by peer"};
}

}  // namespace

std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> MemoryStream::pair(event::Loop& loop) {
  std::unique_ptr<MemoryStream> a(new MemoryStream(loop, "@memory-a", "@memory-b"));
  std::unique_ptr<MemoryStream> b(new MemoryStream(loop, "@memory-b", "@memory-a"));
  a->peer_ = b.get();
  b->peer_ = a.get();
  return {std::move(a), std::move(b)};
}

MemoryStream::MemoryStream(event::Loop& loop, std::string_view local, std::string_view peer)
    : local_(Address::unixSocket(local).value()),
      peer_address_(Address::unixSocket(peer).value()),
      timer_(loop, [this] { deliver(); }) {}

MemoryStream::~MemoryStream() {
  if (!closed_) close(Close::Now);
  if (peer_ != nullptr) peer_->peer_ = nullptr;
}

void MemoryStream::start(Receiver& receiver) {
  CHECK(receiver_ == nullptr || !connecting_);
  receiver_ = &receiver;
  wake();
}

void MemoryStream::connectSucceeds() {
  connecting_ = false;
  connected_to_tell_ = true;
  wake();
}

void MemoryStream::connectFails(base::Error why) {
  connecting_ = false;
  fail(std::move(why));
}

void MemoryStream::fail(base::Error why) {
  if (dead() || failure_) return;
  failure_ = std::move(why);
  wake();
}

void MemoryStream::write(base::BufferChain& bytes) {
  if (dead() || finish_) return bytes.clear();
  out_.append(bytes);
  transfer();
  if (blocked_ || out_.size() <= high_watermark_ || receiver_ == nullptr) return;
  blocked_ = true;
  receiver_->onBlocked();
}

void MemoryStream::transfer() {
  if (connecting_) return;
  const size_t count = std::min(room_, out_.size());
  if (room_ != std::numeric_limits<size_t>::max()) room_ -= count;
  if (peer_ == nullptr || peer_->dead()) {
    if (count == 0) return;
    out_.clear();
    return fail(resetByPeer());
  }
  peer_->in_.appendFrom(out_, count);
  if (finish_ && out_.empty() && !fin_sent_) {
    fin_sent_ = true;
    peer_->peer_finished_ = true;
  }
  peer_->wake();
}

void MemoryStream::takeAll() {
  room_ = std::numeric_limits<size_t>::max();
  transfer();
  wake();
}

void MemoryStream::resumeReading() {
  paused_ = false;
  wake();
}

void MemoryStream::finishWriting() {
  finish_ = true;
  transfer();
}

void MemoryStream::deliver() {
  if (receiver_ == nullptr || failed_) return;
  event::Lifeline::Sight sight(lifeline_);
  if (closed_) {
    transfer();
    if (*closed_ != Close::Flush || !out_.empty()) return;
    failed_ = true;
    return receiver_->onFlushed();
  }
  if (connected_to_tell_) {
    connected_to_tell_ = false;
    receiver_->onConnected();
    if (!sight.alive() || closed_) return;
    transfer();
  }
  if (blocked_ && out_.size() <= high_watermark_ / 2) {
    blocked_ = false;
    receiver_->onDrained();
    if (!sight.alive() || closed_) return;
  }
  if (!paused_ && (!in_.empty() || !offered_.empty())) {
    offered_.append(in_);
    const Receiver* const offered_to = receiver_;
    receiver_->onBytes(offered_);
    if (!sight.alive() || closed_) return;
    if (receiver_ != offered_to) return wake();  // Handed over: the next one is offered what was left.
  }
  if (failure_) {
    failed_ = true;
    return receiver_->onClosed(*failure_);
  }
  if (paused_ || !peer_finished_ || end_told_ || !in_.empty()) return;
  end_told_ = true;
  receiver_->onEnd();
}

void MemoryStream::close(Close how) {
  if (closed_) return;
  closed_ = how;
  timer_.disarm();
  in_.clear();
  offered_.clear();
  if (how == Close::Flush) {
    finish_ = true;
    return failed_ ? void() : (transfer(), wake());
  }
  out_.clear();
  if (peer_ == nullptr || failed_) return;
  if (how == Close::Reset) return peer_->fail(resetByPeer());
  peer_->peer_finished_ = true;
  peer_->wake();
}

}  // namespace weir::net
