// Who speaks at the ends of the path: clients that ask the same again and again, and an origin that gives the same
// answer. They allocate nothing while they speak, and take no more than an answer's or a request's few bytes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "upstream/cluster.h"
#include "wire.h"

namespace weir::bench {

class Client : public Speaker {
 public:
  virtual ~Client() = default;
  // What begins its connection, if anything does, and then one request after the other. Valid until the next call.
  virtual std::string_view opening() { return {}; }
  virtual std::string_view request() = 0;
  // Whether the last request has got its answer, whole. Stops the program at one that is not the origin's.
  virtual bool answered() = 0;

  void onWritten(const base::BufferChain& bytes) override;

 protected:
  std::string_view heard() const { return {heard_.data(), size_}; }
  void forget(size_t bytes);

 private:
  std::array<char, 16 * 1024> heard_;
  size_t size_ = 0;
};

std::unique_ptr<Client> http1Client();
std::unique_ptr<Client> http2Client();

// The origin: connections to it are wires.
class Origin final : public upstream::Connector {
 public:
  explicit Origin(event::Loop& loop);
  ~Origin() override;
  std::unique_ptr<net::ByteStream> connect(const net::Address& to, base::Duration timeout) override;
  uint64_t requests() const { return requests_; }
  // The head of the last request, for who wants to see what the proxy made of it.
  std::string_view lastRequest() const { return {head_.data(), head_size_}; }

 private:
  class End;
  event::Loop& loop_;
  uint64_t requests_ = 0;
  std::array<char, 16 * 1024> head_;
  size_t head_size_ = 0;
  std::vector<std::unique_ptr<End>> ends_;
};

}  // namespace weir::bench
