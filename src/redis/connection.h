// A connection with one Redis server, for one plugin: commands go out as they come (pipelined), and the answers come in
// the order of the commands.
//
// It begins with AUTH and SELECT where they are configured; what is answered to those is not looked at, as in Higress:
// the commands behind them fail then, in the server's words. It is over with its first fault (refused, lost, timed out,
// a malformed answer, an answer to nothing), and everything that waits on it fails. After that nothing more is told.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "event/loop.h"
#include "event/timer.h"
#include "redis/framer.h"
#include "upstream/cluster.h"

namespace weir::redis {

// Who asked: told exactly one of these for each command, never within the call that sent it. May do anything, also end
// the client.
class Receiver {
 public:
  // The answer as it came, an error of the server's too.
  virtual void onAnswer(uint32_t token, base::BufferChain answer) = 0;
  virtual void onFailure(uint32_t token) = 0;

 protected:
  ~Receiver() = default;
};

struct Options {
  // For an answer: since the connection was there, or the answer before it.
  static constexpr base::Duration kDefaultTimeout = std::chrono::seconds(1);
  std::string user;
  std::string password;
  std::string database;  // As SELECT takes it; empty: the server's default.
  base::Duration timeout = kDefaultTimeout;
};

class Connection final : public event::Deferred, private net::ByteStream::Receiver {
 public:
  // What may wait to be sent; more is refused.
  static constexpr size_t kMaxUnsent = size_t{8} << 20;
  // A connection without work is kept for so long.
  static constexpr base::Duration kIdleLimit = std::chrono::seconds(60);

  class Owner {
   public:
    // It is over, and everybody has been told. The owner gives it to the loop to be destroyed.
    virtual void onConnectionOver(Connection& connection) = 0;

   protected:
    ~Owner() = default;
  };

  Connection(Owner& owner, redis::Receiver& receiver, event::Loop& loop, upstream::Cluster& cluster,
             upstream::StreamOffer offer, const Options& options);

  // Connects. May be over when this returns.
  void start();
  // False: too much waits to be sent. The bytes leave at the end of the loop's turn, with those of other commands.
  bool send(std::string_view command, uint32_t token);
  // Takes no more commands, and is over when those under way are answered: possibly within the call.
  void retire();
  // Ends it: nobody, the owner included, is told anything more.
  void close();
  // Takes commands.
  bool open() const { return !over_ && !retired_; }
  bool isWith(const upstream::Cluster& cluster) const { return &cluster == &*cluster_; }
  bool isWith(const upstream::Cluster& cluster, const net::Address& address) const {
    return isWith(cluster) && address == endpoint_->address;
  }

 private:
  // net::ByteStream::Receiver
  void onConnected() override;
  void onBytes(base::BufferChain& received) override;
  void onEnd() override { end(); }
  void onClosed(const base::Error&) override { end(); }

  void put(std::string_view command, std::optional<uint32_t> token);
  void flush();
  void onAnswered();
  void onTimeout();
  void arm();
  void onNonsense();
  void end();

  Owner& owner_;
  redis::Receiver& receiver_;
  event::Loop& loop_;
  const upstream::ClusterUse cluster_;
  const std::shared_ptr<const upstream::Endpoint> endpoint_;
  const std::unique_ptr<net::ByteStream> stream_;
  const base::Duration timeout_;
  Framer framer_;
  std::deque<std::optional<uint32_t>> waiting_;  // Who is to be told, in order; nobody for our own commands.
  base::BufferChain out_;
  event::TurnEnd flush_;
  event::Timer timer_;  // Of the next answer, or of silence.
  bool connected_ = false;
  bool retired_ = false;
  bool over_ = false;
  bool closed_ = false;  // By the owner, which may be gone.
};

}  // namespace weir::redis
