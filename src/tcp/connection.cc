#include "tcp/connection.h"

#include <utility>

#include "base/log.h"

namespace weir::tcp {

// A filter in its place: what it is given as its handle.
class Connection::Link final : public ConnectionHandle {
 public:
  Link(Connection& connection, size_t index, std::unique_ptr<Filter> filter)
      : filter(std::move(filter)), connection_(connection), index_(index) {
    this->filter->setHandle(*this);
  }

  event::Loop& loop() override { return connection_.chain_.loop; }
  filter::StreamInfo& info() override { return connection_.info_; }
  void continueReading() override { connection_.passData(index_ + 1); }
  void continueWriting() override {
    base::BufferChain resumed = std::move(held);
    connection_.passWrite(index_, resumed, end_of_write);
    connection_.noteHeld(index_);
  }
  void write(base::BufferChain& bytes, bool end) override { connection_.passWrite(index_, bytes, end); }
  void pauseReading() override {
    connection_.paused_ = true;
    connection_.adjustReading();
  }
  void resumeReading() override {
    connection_.paused_ = false;
    connection_.adjustReading();
  }
  using ConnectionHandle::close;
  void close(net::ByteStream::Close how, std::string_view reason) override {
    if (!connection_.closed_) connection_.connection_info_.local_close_reason = reason;
    connection_.close(how, Ending::Local);
  }

  const std::unique_ptr<Filter> filter;
  bool begun = false;      // onNewConnection() was called.
  bool end_told = false;   // The client's end was.
  base::BufferChain held;  // Written, and left by this filter.
  bool blocks = false;     // That is more than the limit.
  bool end_of_write = false;

 private:
  Connection& connection_;
  const size_t index_;
};

Connection::Connection(Chain& chain, Owner& owner, std::unique_ptr<net::ByteStream> stream, filter::ConnectionInfo info,
                       std::unique_ptr<Filter> last)
    : chain_(chain), owner_(owner), stream_(std::move(stream)), connection_info_(std::move(info)) {
  info_.connection = &connection_info_;
  info_.is_http = false;
  info_.dynamic_metadata = connection_info_.dynamic_metadata;
  info_.typed_dynamic_metadata = connection_info_.typed_dynamic_metadata;
  info_.client = connection_info_.peer;
  info_.start = chain.loop.wallNow();
  info_.start_monotonic = chain.loop.now();
  for (const auto& factory : chain.filters) {
    links_.push_back(std::make_unique<Link>(*this, links_.size(), factory->create()));
  }
  if (last != nullptr) links_.push_back(std::make_unique<Link>(*this, links_.size(), std::move(last)));
}

Connection::~Connection() = default;

void Connection::start() {
  stream_->setHighWatermark(chain_.buffer_limit);
  stream_->start(*this);
  started_ = true;
  adjustReading();
  passData(0);
}

// --- From the client ---

void Connection::onBytes(base::BufferChain& received) {
  info_.request_body_bytes += received.size();
  received_.append(received);
  passData(0);
}

void Connection::onEnd() {
  peer_ended_ = true;
  passData(0);
}

// Filters before `from` have let through what is there.
void Connection::passData(size_t from) {
  for (size_t i = from; i < links_.size() && !closed_; ++i) {
    Link& link = *links_[i];
    if (!std::exchange(link.begun, true) && link.filter->onNewConnection() == Pass::Stop) break;
    if (closed_) return;
    if (received_.empty() && (!peer_ended_ || link.end_told)) continue;
    link.end_told = link.end_told || peer_ended_;
    if (link.filter->onData(received_, peer_ended_) == Pass::Stop) break;
  }
  if (closed_) return;
  paused_by_limit_ = received_.size() > chain_.buffer_limit;
  adjustReading();
  finishIfBothEnded(Ending::Remote);
}

void Connection::adjustReading() {
  if (closed_ || !started_) return;
  if (paused_ || paused_by_limit_) {
    stream_->pauseReading();
  } else {
    stream_->resumeReading();
  }
}

// --- To the client ---

// Through the filters before `before`, the nearest first.
void Connection::passWrite(size_t before, base::BufferChain& bytes, bool end) {
  for (size_t i = before; i-- > 0 && !closed_;) {
    Link& link = *links_[i];
    link.held.append(bytes);
    link.end_of_write = link.end_of_write || end;
    if (link.filter->onWrite(link.held, link.end_of_write) == Pass::Stop) return noteHeld(i);
    bytes.append(link.held);
    noteHeld(i);
    end = link.end_of_write;
  }
  if (closed_) return bytes.clear();
  info_.response_body_bytes += bytes.size();
  if (!bytes.empty()) stream_->write(bytes);
  if (!end || closed_) return;
  stream_->finishWriting();
  finished_ = true;
  finishIfBothEnded(Ending::Finished);
}

// What a filter has left blocks those behind it as the client would, who does not take it.
void Connection::noteHeld(size_t index) {
  Link& link = *links_[index];
  const bool blocks = link.held.size() > chain_.buffer_limit;
  if (closed_ || std::exchange(link.blocks, blocks) == blocks) return;
  for (size_t i = index + 1; i < links_.size() && !closed_; ++i) {
    blocks ? links_[i]->filter->onBlocked() : links_[i]->filter->onDrained();
  }
}

void Connection::onBlocked() {
  for (const auto& link : links_) {
    if (!closed_) link->filter->onBlocked();
  }
}

size_t Connection::unsent() const {
  size_t bytes = stream_->unsent();
  for (const auto& link : links_) bytes += link->held.size();
  return bytes;
}

void Connection::onDrained() {
  for (const auto& link : links_) {
    if (!closed_) link->filter->onDrained();
  }
}

// --- The end ---

void Connection::finishIfBothEnded(Ending ending) {
  const bool all_told = links_.empty() || links_.back()->end_told;
  if (!closed_ && finished_ && peer_ended_ && all_told && received_.empty()) {
    close(net::ByteStream::Close::Flush, ending);
  }
}

void Connection::onClosed(const base::Error& why) {
  LOG(Connection, Debug, "[C{}] closed: {}", connection_info_.id, why.detail);
  close(net::ByteStream::Close::Now, why.code == base::Code::Reset ? Ending::Reset : Ending::Remote);
}

void Connection::close(net::ByteStream::Close how, Ending ending) {
  if (std::exchange(closed_, true)) return;
  if (how == net::ByteStream::Close::Reset) connection_info_.close_type = filter::CloseType::LocalReset;
  if (ending == Ending::Reset) connection_info_.close_type = filter::CloseType::RemoteReset;
  stream_->close(how);
  received_.clear();
  info_.finished = chain_.loop.now() - info_.start_monotonic;
  for (const auto& link : links_) link->filter->onClosed(ending);
  if (chain_.log) chain_.log(info_);
  if (how != net::ByteStream::Close::Flush) owner_.onConnectionClosed(*this);
}

}  // namespace weir::tcp
