// A connection with an endpoint that its checks go over, one after the other: by HTTP/1.1 or by HTTP/2. It is in no
// pool, and counted as none of the cluster's; by HTTP/2 its frames are.
#pragma once

#include <memory>
#include <vector>

#include "http/codec.h"
#include "http1/codec.h"
#include "http2/codec.h"
#include "upstream/health_probe.h"

namespace weir::upstream {

class CheckConnection final : public event::Deferred,
                              private net::ByteStream::Receiver,
                              private http::Wire,
                              private http1::ReadControl,
                              private http2::Owner {
 public:
  class Owner {
   public:
    virtual void onCheckConnected() = 0;
    // It is closed; streams were told before. To be dropped.
    virtual void onCheckConnectionLost() = 0;
    // By HTTP/2: no further check may go over it. May drop it.
    virtual void onCheckGoAway(uint32_t code) = 0;

   protected:
    ~Owner() = default;
  };

  CheckConnection(const ProbeParts& parts, bool http2, Owner& owner);
  // The probe may do this wherever it stands, in a call of the connection's too: it is told nothing any more. Null is
  // left as it is.
  static void drop(std::unique_ptr<CheckConnection>& connection, event::Loop& loop);

  void start() { stream_->start(*this); }
  // These once it is connected.
  bool connected() const { return codec_ != nullptr; }
  http::ClientCodec& codec() { return *codec_; }
  std::string_view scheme() const { return stream_->tls() == nullptr ? "http" : "https"; }

 private:
  // net::ByteStream::Receiver
  void onConnected() override;
  void onBytes(base::BufferChain& received) override;
  void onEnd() override;
  void onClosed(const base::Error& why) override { lose(why.detail); }
  // http::Wire
  void send(base::BufferChain& bytes) override;
  size_t unsent() const override { return out_.size() + (owner_ == nullptr ? 0 : stream_->unsent()); }
  // http1::ReadControl
  void onPauseConnection() override { stream_->pauseReading(); }
  void onResumeConnection() override { stream_->resumeReading(); }
  void onStreamOver() override {}  // http2::Owner's too.
  // http2::Owner
  void onWorkWaiting() override { work_.schedule(); }
  void onGoAway(uint32_t code) override;

  void work();
  void flush();
  void close();
  void lose(std::string_view detail);

  const ClusterSpec& cluster_;
  ClusterStats& stats_;
  event::Loop& loop_;
  const bool speaks_http2_;
  Owner* owner_;  // Null once closed.
  std::unique_ptr<net::ByteStream> stream_;
  std::unique_ptr<http::ClientCodec> codec_;  // Null before it is connected.
  base::BufferChain out_;                     // What was written in this turn.
  event::TurnEnd flush_;
  event::TurnEnd work_;  // What the HTTP/2 codec has put off.
};

// The headers that the configuration adds to a check's request.
void addHeaders(const std::vector<HealthCheckSpec::AddedHeader>& added, http::HeaderMap& headers);

}  // namespace weir::upstream
