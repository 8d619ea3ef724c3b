// A connection with an endpoint that carries bytes, as a request's stream: where a CONNECT ends here (connect_config).
// Its answer is 200, as soon as there is a connection; body pieces are the connection's bytes, and each direction ends
// by itself.
//
// Made for one attempt, which owns it: destroying it closes the connection. Last bytes that the endpoint has not taken
// when both directions have ended are the cluster's to deliver.
#pragma once

#include <memory>

#include "event/loop.h"
#include "upstream/cluster.h"

namespace weir::upstream {

class TcpTunnel final : public http::ClientCodec, private http::Stream, private net::ByteStream::Receiver {
 public:
  TcpTunnel(event::Loop& loop, Cluster& cluster, ConnectionWaiter& waiter)
      : cluster_(cluster), waiter_(waiter), answer_(loop, [this] { answer(); }) {}

  // Picks an endpoint and connects to it. That there is none may be told within the call; a connection never is.
  void start(const Wish& wish, const filter::ConnectionInfo& client);
  // Gives it up, wherever it stands: nothing is told any more.
  void close();

  // http::ClientCodec, of one stream.
  http::Stream& newStream(http::StreamReceiver& receiver) override;
  base::Result<void> receive(base::BufferChain&) override { return base::Ok{}; }
  void receiveEnd() override {}
  void connectionLost(std::string_view) override {}
  bool available() const override { return receiver_ == nullptr && !begun_; }
  bool reusable() const override { return false; }
  size_t activeStreams() const override { return receiver_ == nullptr ? 0 : 1; }
  void wireBlocked() override {}
  void wireDrained() override {}
  http::Protocol protocol() const override { return http::Protocol::Http11; }

 private:
  // http::Stream
  void sendHeaders(const http::HeaderMap&, bool end_stream) override;
  void sendInformational(const http::HeaderMap&) override {}
  void sendBody(base::BufferChain& bytes, bool end_stream) override;
  void sendTrailers(const http::HeaderMap&) override;
  void reset(http::ResetReason) override;
  void pauseReceiving() override;
  void resumeReceiving() override;
  uint64_t bytesSent() const override { return sent_; }
  uint64_t bytesReceived() const override { return received_; }
  // net::ByteStream::Receiver
  void onConnected() override;
  void onBytes(base::BufferChain& received) override;
  void onEnd() override;
  void onClosed(const base::Error& why) override;
  void onBlocked() override;
  void onDrained() override;

  void answer();
  void endSending();
  void complete();

  Cluster& cluster_;
  ConnectionWaiter& waiter_;
  std::shared_ptr<const Endpoint> endpoint_;
  std::unique_ptr<net::ByteStream> stream_;
  http::StreamReceiver* receiver_ = nullptr;  // Null before it has begun, and after its end.
  event::TurnEnd answer_;
  int pauses_ = 0;
  bool connected_ = false;
  bool begun_ = false;
  bool answered_ = false;
  bool sent_end_ = false;
  bool received_end_ = false;
  bool closed_ = false;
  uint64_t sent_ = 0;
  uint64_t received_ = 0;
};

}  // namespace weir::upstream
