// For tests: a receiver that writes down what it hears, and turning a loop until something is so.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>

#include <chrono>
#include <functional>
#include <string>

#include "event/loop.h"
#include "net/byte_stream.h"
#include "net/fd.h"
#include "net/listener.h"

namespace weir::net {

// Turns a loop that does not wait. Bounded by real time, so that a broken test fails instead of hanging.
template <typename Condition>
bool turnUntil(event::Loop& loop, Condition condition) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    loop.runReady();
    sched_yield();
  }
  return true;
}

struct Hearing final : ByteStream::Receiver {
  void onConnected() override { hear("connected"); }
  void onBytes(base::BufferChain& received) override {
    if (leaves) {
      offered = received.toString();
    } else {
      bytes += received.toString();
      received.clear();
    }
    if (on_bytes) on_bytes();
    hear("");
  }
  void onEnd() override { hear("end"); }
  void onClosed(const base::Error& why) override {
    error = why;
    hear("closed:" + std::string(name(why.code)));
  }
  void onBlocked() override { hear("blocked"); }
  void onDrained() override { hear("drained"); }
  void onFlushed() override { hear("flushed"); }

  bool heard(std::string_view what) const {
    return (" " + events + " ").find(" " + std::string(what) + " ") != events.npos;
  }
  void hear(const std::string& what) {
    if (!what.empty()) events += (events.empty() ? "" : " ") + what;
    if (destroys && (destroys_at.empty() ? what.empty() : what.starts_with(destroys_at))) destroys->reset();
  }

  std::string bytes;
  std::string offered;
  std::string events;  // In order, separated by spaces.
  base::Error error;
  bool leaves = false;  // Takes nothing of what it is offered.
  std::function<void()> on_bytes;
  std::unique_ptr<ByteStream>* destroys = nullptr;
  std::string destroys_at;  // Empty: with the first bytes.
};

// Keeps what a listener accepts.
struct Accepting final : Listener::Acceptor {
  void onAccepted(Fd socket, const Address& peer) override {
    sockets.push_back(std::move(socket));
    peers.push_back(peer);
    if (then) then();
  }
  void onAcceptFailed(const base::Error&) override { ++failures; }
  std::vector<Fd> sockets;
  std::vector<Address> peers;
  int failures = 0;
  std::function<void()> then;
};

inline Address loopback(uint16_t port = 0) { return Address::parseIp("127.0.0.1", port).value(); }

}  // namespace weir::net
