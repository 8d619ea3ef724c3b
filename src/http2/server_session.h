// The server side of a connection. See codec.h for what it promises.
#pragma once

#include <array>

#include "http2/session.h"

namespace weir::http2 {

class ServerSession final : public ServerCodec, private Session {
 public:
  ServerSession(http::Wire& wire, Events& events, Owner& owner, const Settings& settings, Stats& stats,
                const base::Clock& clock);

  base::Result<void> receive(base::BufferChain& bytes) override { return feed(bytes); }
  void receiveEnd() override { loseAll("downstream_remote_disconnect"); }
  void connectionLost(std::string_view detail) override { loseAll(detail); }
  void drain() override;
  bool finished() const override { return over() || (final_goaway_ && streams_.empty()); }
  size_t activeStreams() const override { return lost_ ? 0 : streams_.size(); }
  void wireBlocked() override { blockWire(); }
  void wireDrained() override { drainWire(); }
  http::Protocol protocol() const override { return http::Protocol::Http2; }
  void ping() override { Session::ping(kPlainPing); }

 private:
  static constexpr uint64_t kPlainPing = 0;
  static constexpr uint64_t kDrainPing = 1;

  Stream* onNewRequest(int32_t id) override;
  void onHead(Stream& stream, http::HeaderMap& headers, bool end_stream) override;
  void onStreamGone(Stream& stream) override;
  void onPingAnswered(uint64_t mark) override;
  void submitHead(Stream& stream, const http::HeaderMap& headers, nghttp2_data_provider* body) override;
  bool leaving() const override { return final_goaway_; }
  bool isPremature(const Stream& stream) const;
  void onFrameOfClosedStream(int32_t id) override;
  void onRefused(int32_t id) override { rememberReset(id); }
  void rememberReset(int32_t id) { reset_by_us_[resets_++ % kKnownResets] = id; }

  Events& events_;
  // Streams that we have reset last: what the client had sent them before it knew is ignored.
  static constexpr size_t kKnownResets = 64;
  std::array<int32_t, kKnownResets> reset_by_us_{};
  size_t resets_ = 0;
  int32_t last_id_ = 0;
  bool draining_ = false;
  bool final_goaway_ = false;
  uint64_t over_streams_ = 0;  // All that came to an end.
  uint64_t premature_ = 0;     // Of them.
};

}  // namespace weir::http2
