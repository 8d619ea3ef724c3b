#include "tcp/filtered_stream.h"

#include <utility>

namespace weir::tcp {

// Ends the chain: hands on to the stream.
class FilteredStream::Outlet final : public Filter {
 public:
  explicit Outlet(FilteredStream*& stream) : stream_(stream) {}
  void setHandle(ConnectionHandle& handle) override { handle_ = &handle; }
  ConnectionHandle& handle() { return *handle_; }
  Pass onNewConnection() override { return Pass::Continue; }
  Pass onData(base::BufferChain& bytes, bool end) override {
    if (stream_ != nullptr) stream_->arrived(bytes, end);
    return Pass::Continue;
  }
  void onBlocked() override {
    if (stream_ != nullptr && stream_->receiver_ != nullptr) stream_->receiver_->onBlocked();
  }
  void onDrained() override {
    if (stream_ != nullptr && stream_->receiver_ != nullptr) stream_->receiver_->onDrained();
  }
  void onClosed(Ending ending) override {
    if (stream_ != nullptr) stream_->ended(ending);
  }

 private:
  FilteredStream*& stream_;  // Null when it is gone.
  ConnectionHandle* handle_ = nullptr;
};

// The connection, which lives until the end of the turn in which the stream goes.
class FilteredStream::Inner final : public event::Deferred, private Connection::Owner {
 public:
  Inner(FilteredStream& stream, Chain& chain, std::unique_ptr<net::ByteStream> socket, filter::ConnectionInfo info)
      : stream_(&stream),
        outlet_(new Outlet(stream_)),
        connection_(chain, static_cast<Connection::Owner&>(*this), std::move(socket), std::move(info),
                    std::unique_ptr<Filter>(outlet_)) {}

  Connection& connection() { return connection_; }
  ConnectionHandle& outlet() { return outlet_->handle(); }
  void leave() { stream_ = nullptr; }

 private:
  void onConnectionClosed(Connection&) override {
    if (stream_ != nullptr) stream_->flushed();
  }

  FilteredStream* stream_;
  Outlet* const outlet_;  // The connection's.
  Connection connection_;
};

FilteredStream::FilteredStream(Chain& chain, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info)
    : chain_(chain),
      local_(stream->local()),
      peer_(stream->peer()),
      tls_(stream->tls() != nullptr ? stream->tls()->shared_from_this() : nullptr),
      offer_(chain.loop, [this] { offer(); }) {
  inner_ = std::make_unique<Inner>(*this, chain, std::move(stream), std::move(info));
}

FilteredStream::~FilteredStream() {
  receiver_ = nullptr;
  inner_->leave();
  inner_->connection().closeNow();
  chain_.loop.destroyLater(std::move(inner_));
}

void FilteredStream::start(Receiver& receiver) {
  receiver_ = &receiver;
  outlet_ = &inner_->outlet();
  inner_->connection().start();
}

// --- From the client ---

void FilteredStream::arrived(base::BufferChain& bytes, bool end) {
  in_.append(bytes);
  end_came_ = end_came_ || end;
  offer();
}

void FilteredStream::offer() {
  if (receiver_ == nullptr || paused_ || closed_) return;
  event::Lifeline::Sight sight(lifeline_);
  if (!in_.empty()) receiver_->onBytes(in_);
  if (!sight.alive() || closed_) return;
  if (in_.size() > chain_.buffer_limit) outlet_->pauseReading();
  if (!end_came_ || !in_.empty() || std::exchange(end_told_, true)) return;
  receiver_->onEnd();
}

void FilteredStream::pauseReading() {
  paused_ = true;
  if (!closed_) outlet_->pauseReading();
}

void FilteredStream::resumeReading() {
  paused_ = false;
  if (closed_) return;
  outlet_->resumeReading();
  offer_.arm(base::Duration::zero());
}

// --- To the client ---

void FilteredStream::write(base::BufferChain& bytes) {
  if (closed_) return bytes.clear();
  outlet_->write(bytes, false);
}

void FilteredStream::finishWriting() {
  base::BufferChain nothing;
  if (!closed_) outlet_->write(nothing, true);
}

size_t FilteredStream::unsent() const { return inner_->connection().unsent(); }

// --- The end ---

void FilteredStream::close(Close how) {
  if (std::exchange(closed_, true)) return;
  offer_.disarm();
  if (how != Close::Flush) receiver_ = nullptr;
  if (outlet_ != nullptr) outlet_->close(how);
}

void FilteredStream::ended(Ending ending) {
  if (std::exchange(closed_, true)) return;  // By close(): that tells nothing but onFlushed().
  offer_.disarm();
  Receiver* const receiver = std::exchange(receiver_, nullptr);
  if (receiver == nullptr) return;
  const bool ours = ending == Ending::Local;
  receiver->onClosed({ending == Ending::Reset ? base::Code::Reset : base::Code::Io,
                      ours ? base::Side::Self : base::Side::Client, base::Retry::No,
                      ours ? "closed by a network filter" : "closed by the client"});
}

void FilteredStream::flushed() {
  if (Receiver* const receiver = std::exchange(receiver_, nullptr); receiver != nullptr) receiver->onFlushed();
}

}  // namespace weir::tcp
