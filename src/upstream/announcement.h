// What an endpoint is told of the client before anything else is said on a connection (PROXY protocol), and the stream
// that says it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/byte_stream.h"
#include "stats/stats.h"
#include "upstream/cluster.h"

namespace weir::upstream {

// The client, with those of its TLVs that the cluster passes on.
net::ProxyHeader announcedClient(const AnnouncementSpec& spec, const filter::ConnectionInfo& client);
// Requests of clients with equal keys may share a connection.
std::string announcedKey(const AnnouncementSpec& spec, const net::ProxyHeader& client);
// What is said in the end. As Envoy: the endpoint's own come first, then the cluster's, then the client's; of each type
// only those of whoever comes first.
std::vector<net::ProxyTlv> announcedTlvs(const AnnouncementSpec& spec, const Endpoint& endpoint,
                                         const std::vector<net::ProxyTlv>& of_client);

struct Announcement {
  uint8_t version = 1;
  std::optional<net::ProxyHeader> client = {};  // Nobody: the connection is for ourselves.
  stats::Counter* left_out = nullptr;           // Headers without some TLVs.
  stats::Counter* sent = nullptr;               // Bytes of headers; null: not counted.
};

// Says the announcement as soon as it is connected, and is the stream within for the rest of its life.
class AnnouncingStream final : public net::ByteStream, private net::ByteStream::Receiver {
 public:
  using Receiver = net::ByteStream::Receiver;

  AnnouncingStream(std::unique_ptr<net::ByteStream> stream, Announcement announcement)
      : stream_(std::move(stream)), announcement_(std::move(announcement)) {}

  void start(Receiver& receiver) override {
    receiver_ = &receiver;
    stream_->start(*this);
  }
  void write(base::BufferChain& bytes) override;
  void pauseReading() override { stream_->pauseReading(); }
  void resumeReading() override { stream_->resumeReading(); }
  void finishWriting() override;
  void close(Close how) override { stream_->close(how); }
  size_t unsent() const override { return early_.size() + stream_->unsent(); }
  void setHighWatermark(size_t bytes) override { stream_->setHighWatermark(bytes); }
  const net::Address& local() const override { return stream_->local(); }
  const net::Address& peer() const override { return stream_->peer(); }

 private:
  // net::ByteStream::Receiver, of the stream within.
  void onConnected() override;
  void onBytes(base::BufferChain& received) override { receiver_->onBytes(received); }
  void onEnd() override { receiver_->onEnd(); }
  void onClosed(const base::Error& why) override { receiver_->onClosed(why); }
  void onBlocked() override { receiver_->onBlocked(); }
  void onDrained() override { receiver_->onDrained(); }
  void onFlushed() override { receiver_->onFlushed(); }

  std::string words() const;

  const std::unique_ptr<net::ByteStream> stream_;
  const Announcement announcement_;
  Receiver* receiver_ = nullptr;
  base::BufferChain early_;  // Written before it was connected.
  bool finish_early_ = false;
  bool said_ = false;
};

}  // namespace weir::upstream
