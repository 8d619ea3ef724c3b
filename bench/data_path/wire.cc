#include "wire.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "base/check.h"

namespace weir::bench {

Wire::Wire(event::Loop& loop, Speaker& speaker, const net::Address& local, const net::Address& peer)
    : loop_(loop), speaker_(speaker), local_(local), peer_(peer), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  CHECK(wake_ >= 0);
}

Wire::~Wire() {
  close(Close::Now);
  ::close(wake_);
}

void Wire::start(Receiver& receiver) {
  receiver_ = &receiver;
  CHECK(loop_.watch(wake_, event::kReadable, *this).ok());
  if (connecting_) eventfd_write(wake_, 1);
}

void Wire::say(std::string_view text) {
  CHECK(said_.empty() && text.size() <= base::BufferChain::kSlabBytes / 2);
  said_ = text;
  eventfd_write(wake_, 1);
}

void Wire::onIo(uint32_t) {
  eventfd_t ignored;
  eventfd_read(wake_, &ignored);
  if (std::exchange(connecting_, false)) return receiver_->onConnected();
  const std::span<char> room = received_.reserve(base::BufferChain::kSlabBytes / 2);
  std::memcpy(room.data(), said_.data(), said_.size());
  received_.commit(std::exchange(said_, {}).size());
  receiver_->onBytes(received_);
}

void Wire::write(base::BufferChain& bytes) {
  if (!closed_) speaker_.onWritten(bytes);
  bytes.clear();
}

// Both who wait for the end of what was written and who do not are told nothing: the measurement is over.
void Wire::close(Close) {
  if (std::exchange(closed_, true)) return;
  if (receiver_ != nullptr) loop_.unwatch(wake_);
}

}  // namespace weir::bench
