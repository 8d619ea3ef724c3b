// The client side of a connection. See codec.h for what it promises.
#pragma once

#include "http2/session.h"

namespace weir::http2 {

class ClientSession final : public ClientCodec, private Session {
 public:
  ClientSession(http::Wire& wire, Owner& owner, const Settings& settings, Stats& stats, const base::Clock& clock);

  http::Stream& newStream(http::StreamReceiver& receiver) override;
  base::Result<void> receive(base::BufferChain& bytes) override;
  void receiveEnd() override { loseAll("upstream_connection_closed"); }
  void connectionLost(std::string_view detail) override { loseAll(detail); }
  bool available() const override { return reusable() && streams_.size() < capacity(); }
  bool reusable() const override;
  size_t activeStreams() const override { return lost_ ? 0 : told_streams_; }
  void wireBlocked() override { blockWire(); }
  void wireDrained() override { drainWire(); }
  http::Protocol protocol() const override { return http::Protocol::Http2; }
  void ping() override { Session::ping(0); }
  uint32_t capacity() const override;

 private:
  void onHead(Stream& stream, http::HeaderMap& headers, bool end_stream) override;
  void onGoAwayReceived(uint32_t code) override;
  void onSettingsReceived() override;
  void submitHead(Stream& stream, const http::HeaderMap& headers, nghttp2_data_provider* body) override;
  bool leaving() const override { return going_; }
  void refuse(Stream& stream, std::string_view detail);

  bool going_ = false;          // The peer has sent GOAWAY.
  bool settings_seen_ = false;  // The peer's first SETTINGS have come.
};

}  // namespace weir::http2
