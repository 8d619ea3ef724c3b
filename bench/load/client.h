// The client of the benchmarks: one thread that keeps connections busy, at saturation or at a fixed rate.
//
// At saturation each connection sends its next request when its answer is complete. At a fixed rate requests are due
// by the clock, whether answers come or not; each connection takes its turn, and the time of an answer counts from
// when its request was due, so that a proxy that stalls is charged for all whom it kept waiting.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "answer.h"
#include "options.h"
#include "stream.h"

namespace bench {

struct Outcome {
  uint64_t requests = 0;
  double seconds = 0;
  std::vector<uint32_t> microseconds;  // Of each answer.
  std::string fault;                   // Empty if every answer was right.
};

class Client {
 public:
  explicit Client(const Options& options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Opens all connections; each gets its share of all requests once, so that pools are filled and nothing is cold.
  bool warmUp();
  // Returns when time or count is over and all answers are there, or at the first one that is wrong.
  Outcome measure();
  const std::string& fault() const { return fault_; }

 private:
  struct Connection {
    explicit Connection(size_t expected_body) : answer(expected_body) {}
    std::unique_ptr<Stream> stream;
    AnswerReader answer;
    const std::string* request = nullptr;  // Null: idle.
    size_t written = 0;
    int64_t started = 0;
    bool watches_write = false;
    std::deque<int64_t> due;  // Requests whose time has come while this one was busy.
    size_t answered = 0;
  };

  void open(Connection& connection);
  void begin(Connection& connection, int64_t started);
  void write(Connection& connection);
  void read(Connection& connection);
  void complete(Connection& connection);
  void startNext(Connection& connection, int64_t now);
  void startDue(int64_t now);
  void turn(int64_t until);
  int64_t nextDue() const;
  bool mayStart(int64_t now) const;
  void fail(const std::string& why);

  const Options options_;
  const std::vector<std::string> requests_;
  std::unique_ptr<TlsClient> tls_;
  int epoll_fd_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::unique_ptr<char[]> buffer_;

  size_t next_request_ = 0;
  size_t busy_ = 0;
  size_t warm_each_;
  size_t warm_left_ = 0;
  bool measuring_ = false;
  int64_t begin_at_ = 0;
  int64_t end_at_ = 0;
  int64_t last_answer_ = 0;
  uint64_t begun_ = 0;  // Measured requests that were sent or are due.
  Outcome outcome_;
  std::string fault_;
};

}  // namespace bench
