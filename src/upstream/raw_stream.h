// A connection with an endpoint that carries bytes and no requests: the stream that the connector made, counted as the
// connections of pools are, with one request for its whole life.
#pragma once

#include <memory>

#include "event/loop.h"
#include "net/byte_stream.h"
#include "upstream/cluster.h"

namespace weir::upstream {

class RawStream final : public net::ByteStream, private net::ByteStream::Receiver {
 public:
  using Receiver = net::ByteStream::Receiver;

  RawStream(event::Loop& loop, Cluster& cluster, Breakers& breakers, std::shared_ptr<const Endpoint> endpoint,
            std::unique_ptr<net::ByteStream> stream);
  ~RawStream() override;

  void start(Receiver& receiver) override;
  void write(base::BufferChain& bytes) override;
  void pauseReading() override { stream_->pauseReading(); }
  void resumeReading() override { stream_->resumeReading(); }
  void finishWriting() override { stream_->finishWriting(); }
  void close(Close how) override;
  size_t unsent() const override { return stream_->unsent(); }
  void setHighWatermark(size_t bytes) override { stream_->setHighWatermark(bytes); }
  const net::Address& local() const override { return stream_->local(); }
  const net::Address& peer() const override { return stream_->peer(); }
  const net::TlsInfo* tls() const override { return stream_->tls(); }

 private:
  enum class State : uint8_t { New, Connecting, Open, Over };

  // net::ByteStream::Receiver, of the stream within.
  void onConnected() override;
  void onBytes(base::BufferChain& received) override;
  void onEnd() override;
  void onClosed(const base::Error& why) override;
  void onBlocked() override { receiver_->onBlocked(); }
  void onDrained() override { receiver_->onDrained(); }
  void onFlushed() override { receiver_->onFlushed(); }

  void countEnd(bool by_peer);

  event::Loop& loop_;
  ClusterUse cluster_;
  ClusterStats& stats_;
  Breakers& breakers_;  // The cluster's, which cluster_ keeps.
  const std::shared_ptr<const Endpoint> endpoint_;
  const std::unique_ptr<net::ByteStream> stream_;
  const base::MonotonicTime started_;
  Receiver* receiver_ = nullptr;
  State state_ = State::New;
  bool peer_ended_ = false;
};

}  // namespace weir::upstream
