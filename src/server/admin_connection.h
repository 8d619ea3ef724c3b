// One connection to the admin endpoint: reads requests one at a time and writes the pages.
//
// An answer is made only once its request has been received whole, and the next request is looked at only when the
// answer before has left for the kernel, so that what a client asks for without reading it stays bounded by one page.
#pragma once

#include <memory>
#include <string>

#include "base/buffer.h"
#include "event/loop.h"
#include "event/timer.h"
#include "http/codec.h"
#include "net/byte_stream.h"
#include "server/admin_pages.h"

namespace weir::server {

class AdminConnection final : public event::Deferred,
                              private net::ByteStream::Receiver,
                              private http::Wire,
                              private http::ServerCodec::Events,
                              private http::StreamReceiver {
 public:
  // For one request to come whole, counted from the connection's start or the answer before. Longer than the pauses
  // between a dashboard's scrapes, which keep a connection.
  static constexpr base::Duration kRequestTimeout = std::chrono::minutes(5);

  class Owner {
   public:
    virtual AdminAnswer answer(std::string_view method, std::string_view target) = 0;
    // The connection is over. The owner must keep it alive until the end of the turn (Loop::destroyLater).
    virtual void onConnectionOver(AdminConnection& connection) = 0;
    // The answer to /quitquitquit has been written.
    virtual void onQuit() = 0;

   protected:
    ~Owner() = default;
  };

  AdminConnection(event::Loop& loop, Owner& owner, std::unique_ptr<net::ByteStream> stream);
  ~AdminConnection() override;
  void start();

 private:
  // net::ByteStream::Receiver
  void onBytes(base::BufferChain& received) override;
  void onEnd() override;
  void onClosed(const base::Error& why) override;
  void onBlocked() override { blocked_ = true; }
  void onDrained() override;
  void onFlushed() override;
  // http::Wire
  void send(base::BufferChain& bytes) override { out_.append(bytes); }
  // http::ServerCodec::Events
  http::StreamReceiver& onNewStream(http::Stream& stream) override;
  void onPauseConnection() override;
  void onResumeConnection() override;
  // http::StreamReceiver
  void onHeaders(http::HeaderMap& headers, bool end_stream) override;
  void onBody(base::BufferChain& bytes, bool end_stream) override;
  void onTrailers(http::HeaderMap& trailers) override { asked_ = true; }
  void onMalformed(int status, const base::Error& why) override;
  void onReset(http::ResetReason reason, std::string_view detail) override { forgetStream(); }
  void onComplete() override { forgetStream(); }

  // Requests and answers in turn, as far as the bytes that came and the client's reading allow.
  void serve();
  void answerRequest();
  void write(const AdminAnswer& answer);
  void flush();
  void forgetStream();
  void close(net::ByteStream::Close how);

  event::Loop& loop_;
  Owner& owner_;
  std::unique_ptr<net::ByteStream> stream_;
  std::unique_ptr<http::ServerCodec> codec_;
  event::Timer timer_;
  base::BufferChain received_;
  base::BufferChain out_;
  // The request under way.
  http::Stream* request_ = nullptr;
  std::string method_;
  std::string target_;
  int malformed_status_ = 0;  // Not 0: answered with this.
  bool asked_ = false;        // It has come whole.

  bool blocked_ = false;
  bool serving_ = false;
  bool peer_ended_ = false;
  bool broken_ = false;  // The codec gave up.
  bool closed_ = false;
};

}  // namespace weir::server
