// The client side of one HTTP/1 connection, and the one stream that it has at a time. See codec.h for what it promises.
#pragma once

#include "http1/body_reader.h"
#include "http1/body_writer.h"
#include "http1/codec.h"
#include "http1/head_reader.h"
#include "http1/response_head.h"

namespace weir::http1 {

class ClientConnection final : public http::ClientCodec, private http::Stream {
 public:
  ClientConnection(http::Wire& wire, const ClientSettings& settings, ReadControl* read_control);

  http::Stream& newStream(http::StreamReceiver& receiver) override;
  base::Result<void> receive(base::BufferChain& bytes) override;
  void receiveEnd() override;
  void connectionLost(std::string_view detail) override;
  bool available() const override { return reusable_ && receiver_ == nullptr; }
  bool reusable() const override { return reusable_; }
  size_t activeStreams() const override { return receiver_ == nullptr ? 0 : 1; }
  void wireBlocked() override;
  void wireDrained() override;
  http::Protocol protocol() const override { return http::Protocol::Http11; }

 private:
  enum class Reading : uint8_t { Head, Body, Tunnel, Ended };

  // http::Stream, for the request under way.
  void sendHeaders(const http::HeaderMap& headers, bool end_stream) override;
  void sendInformational(const http::HeaderMap& headers) override { (void)headers; }  // Servers' business.
  void expectTunnel() override { may_switch_ = true; }
  void sendBody(base::BufferChain& bytes, bool end_stream) override;
  void sendTrailers(const http::HeaderMap& trailers) override;
  void reset(http::ResetReason reason) override;
  void pauseReceiving() override;
  void resumeReceiving() override;
  uint64_t bytesSent() const override { return bytes_sent_; }
  uint64_t bytesReceived() const override { return bytes_received_; }
  uint64_t headerBytesSent() const override { return field_bytes_sent_; }
  uint64_t headerBytesReceived() const override { return field_bytes_received_; }

  void readHead(base::BufferChain& bytes);
  void onInformational(http::HeaderMap& headers, const ResponseHead& head);
  void onFinal(http::HeaderMap& headers, const ResponseHead& head, const base::BufferChain& rest);
  void readBody(base::BufferChain& bytes);
  bool takesTunnel(int status) const;
  void beginTunnel(http::HeaderMap& headers);
  void readTunnel(base::BufferChain& bytes);
  void endResponse(const base::BufferChain& rest);
  void fail(const Fault& fault);
  void endWith(http::ResetReason reason, std::string_view detail);
  void put(base::BufferChain& out);
  void endRequest();
  void forgetStream();
  void steerReading();

  http::Wire& wire_;
  const ClientSettings settings_;
  ReadControl* const read_control_;

  // The connection.
  bool reusable_ = true;
  bool receiving_ = false;  // Within receive().
  bool given_up_ = false;   // By reset(): what still comes is nobody's fault.
  bool wire_blocked_ = false;
  bool paused_ = false;  // As read_control_ was told.
  std::optional<Fault> fault_;
  Reading reading_ = Reading::Head;
  HeadReader head_reader_;
  BodyReader body_reader_;

  // The stream.
  http::StreamReceiver* receiver_ = nullptr;
  BodyWriter body_writer_;
  bool head_sent_ = false;
  bool request_sent_ = false;
  bool is_head_ = false;
  bool is_connect_ = false;
  bool may_switch_ = false;
  bool switches_ = false;  // The request asks for another protocol; what else is sent waits for the answer elsewhere.
  int informational_ = 0;
  int pauses_ = 0;
  uint64_t bytes_sent_ = 0;
  uint64_t bytes_received_ = 0;
  uint64_t field_bytes_sent_ = 0;
  uint64_t field_bytes_received_ = 0;
};

}  // namespace weir::http1
