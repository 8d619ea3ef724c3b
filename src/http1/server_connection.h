// The server side of one HTTP/1 connection, and the one stream that it has at a time. See codec.h for what it promises.
#pragma once

#include "http1/body_reader.h"
#include "http1/body_writer.h"
#include "http1/codec.h"
#include "http1/head_reader.h"
#include "http1/request_head.h"

namespace weir::http1 {

class ServerConnection final : public http::ServerCodec, private http::Stream {
 public:
  ServerConnection(http::Wire& wire, Events& events, const ServerSettings& settings);

  base::Result<void> receive(base::BufferChain& bytes) override;
  void receiveEnd() override;
  void connectionLost(std::string_view detail) override;
  void drain() override { draining_ = true; }
  bool tunnels() const override { return tunnel_; }
  bool finished() const override { return receiver_ == nullptr && reading_ == Reading::Nothing; }
  size_t activeStreams() const override { return receiver_ == nullptr ? 0 : 1; }
  void wireBlocked() override;
  void wireDrained() override;
  // That of the request under way or last received; the one function of both bases.
  http::Protocol protocol() const override {
    return request_.version_minor == 0 ? http::Protocol::Http10 : http::Protocol::Http11;
  }

 private:
  enum class Reading : uint8_t {
    Head,
    Body,
    NextRequest,  // The request is complete: what comes is the next one, and waits for the response.
    Switching,    // What comes may be in another protocol: it waits for the answer.
    Tunnel,
    Nothing,  // What comes is dropped.
  };

  // http::Stream, for the request under way.
  void sendHeaders(const http::HeaderMap& headers, bool end_stream) override;
  void sendInformational(const http::HeaderMap& headers) override;
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
  bool acceptable(HeadReader::State state);
  void onHead(http::HeaderMap& headers);
  void readBody(base::BufferChain& bytes);
  void readTunnel(base::BufferChain& bytes);
  void completeTunnel();
  bool takesTunnel(int status) const;
  void deliverEnd();
  void beginStream();
  void fail(const Fault& fault);
  enum class FramingField : uint8_t { None, GivenLength, ZeroLength, Chunked };
  FramingField announceBody(const http::HeaderMap& headers, int status, bool end_stream);
  void put(base::BufferChain& out);
  void endResponse();
  void endStream();
  void steerReading();

  http::Wire& wire_;
  Events& events_;
  const ServerSettings settings_;

  // The connection.
  Reading reading_ = Reading::Head;
  bool receiving_ = false;  // Within receive().
  bool persistent_ = true;
  bool draining_ = false;
  bool wire_blocked_ = false;
  bool backlog_ = false;  // Too many pipelined bytes wait.
  bool paused_ = false;   // As events_ was told.
  std::optional<Fault> fault_;
  HeadReader head_reader_;
  bool line_checked_ = false;  // The request line of the head being read.
  BodyReader body_reader_;

  // The stream.
  http::StreamReceiver* receiver_ = nullptr;
  RequestHead request_;
  BodyWriter body_writer_;
  bool head_sent_ = false;
  bool tunnel_ = false;          // The answer has made it one.
  bool response_ended_ = false;  // Of a tunnel, while the client's direction goes on.
  int pauses_ = 0;
  uint64_t bytes_sent_ = 0;
  uint64_t bytes_received_ = 0;
  uint64_t field_bytes_sent_ = 0;
  uint64_t field_bytes_received_ = 0;
};

}  // namespace weir::http1
