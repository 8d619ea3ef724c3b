#include "redis/connection.h"

#include <fmt/core.h>

#include <initializer_list>
#include <utility>

namespace weir::redis {
namespace {

std::string commandOf(std::initializer_list<std::string_view> words) {
  std::string command = fmt::format("*{}\r\n", words.size());
  for (const std::string_view word : words) command += fmt::format("${}\r\n{}\r\n", word.size(), word);
  return command;
}

}  // namespace

Connection::Connection(Owner& owner, redis::Receiver& receiver, event::Loop& loop, upstream::Cluster& cluster,
                       upstream::StreamOffer offer, const Options& options)
    : owner_(owner),
      receiver_(receiver),
      loop_(loop),
      cluster_(cluster),
      endpoint_(std::move(offer.endpoint)),
      stream_(std::move(offer.stream)),
      timeout_(options.timeout),
      flush_(loop, [this] { flush(); }),
      timer_(loop, [this] { onTimeout(); }) {
  if (!options.user.empty()) {
    put(commandOf({"AUTH", options.user, options.password}), std::nullopt);
  } else if (!options.password.empty()) {
    put(commandOf({"AUTH", options.password}), std::nullopt);
  }
  if (!options.database.empty()) put(commandOf({"SELECT", options.database}), std::nullopt);
}

void Connection::start() { stream_->start(*this); }

bool Connection::send(std::string_view command, uint32_t token) {
  if (!open() || out_.size() + stream_->unsent() + command.size() > kMaxUnsent) return false;
  put(command, token);
  return true;
}

// As in Higress the time runs for the answer that is next; while it connects, the cluster's connect_timeout does.
void Connection::put(std::string_view command, std::optional<uint32_t> token) {
  out_.append(command);
  flush_.schedule();
  waiting_.push_back(token);
  if (connected_ && waiting_.size() == 1) arm();
}

void Connection::flush() {
  if (!over_ && !out_.empty()) stream_->write(out_);
}

void Connection::onConnected() {
  connected_ = true;
  arm();
}

void Connection::arm() { timer_.arm(waiting_.empty() ? kIdleLimit : timeout_); }

// --- Answers ---

// Whoever is told may end this connection.
void Connection::onBytes(base::BufferChain& received) {
  while (!over_ && !received.empty()) {
    switch (framer_.read(received)) {
      case Framer::State::Incomplete: return;
      case Framer::State::Whole: onAnswered(); break;
      case Framer::State::Malformed: return onNonsense();
    }
  }
}

void Connection::onAnswered() {
  const bool push = framer_.isPush();
  base::BufferChain answer = framer_.take();
  if (push) return;
  if (waiting_.empty()) return onNonsense();  // What comes next would be taken for the answer to something else.
  const std::optional<uint32_t> token = waiting_.front();
  waiting_.pop_front();
  arm();
  if (token) receiver_.onAnswer(*token, std::move(answer));
  if (retired_ && waiting_.empty()) end();
}

// --- The end ---

void Connection::onNonsense() {
  cluster_->stats().upstream_cx_protocol_error.add();
  end();
}

void Connection::onTimeout() {
  if (!waiting_.empty()) cluster_->stats().upstream_rq_timeout.add();
  end();
}

void Connection::retire() {
  retired_ = true;
  if (waiting_.empty()) end();
}

void Connection::end() {
  if (over_) return;
  over_ = true;
  timer_.disarm();
  stream_->close(net::ByteStream::Close::Now);
  while (!waiting_.empty()) {
    const std::optional<uint32_t> token = waiting_.front();
    waiting_.pop_front();
    if (token) receiver_.onFailure(*token);
  }
  if (!closed_) owner_.onConnectionOver(*this);  // It lives until the end of the turn.
}

void Connection::close() {
  closed_ = true;
  waiting_.clear();
  end();
}

}  // namespace weir::redis
