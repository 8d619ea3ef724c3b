// The border between bytes and messages, the same for HTTP/1.1 and HTTP/2.
//
// A codec is fed with bytes and calls a StreamReceiver for each message part; whoever answers calls the Stream. Codecs
// do no I/O and know no timers: they write to a Wire. All of it on one thread. A Stream reference is valid until
// onComplete() or onReset() was told, or reset() was called on it.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/buffer.h"
#include "base/result.h"
#include "http/header_map.h"
#include "http/metadata.h"

namespace weir::http {

enum class Protocol : uint8_t { Http10, Http11, Http2, Http3 };
std::string_view name(Protocol protocol);  // "HTTP/1.1"

enum class ResetReason : uint8_t {
  LocalReset,             // We gave up on the stream.
  RemoteReset,            // The peer gave up on it.
  ConnectionTermination,  // The connection went away under it.
  ConnectionFailure,      // It never came to be (upstream).
  Overflow,
  ProtocolError,
  RefusedStream,  // The peer has not begun to work on it (RFC 9113 8.7): any request may be repeated.
};
std::string_view name(ResetReason reason);

// Where a codec puts its bytes.
class Wire {
 public:
  // Takes all of bytes.
  virtual void send(base::BufferChain& bytes) = 0;
  // Bytes taken that the peer's machine has not taken yet: what HTTP/2 counts its unsent frames by.
  virtual size_t unsent() const { return 0; }
  // No more will be sent: the peer is told so (FIN) when what was sent has gone. For tunnels, which end side by side.
  virtual void sendEnd() {}

 protected:
  ~Wire() = default;
};

// Hears one message (and its end) from a codec. Must not destroy the codec from within a call.
class StreamReceiver {
 public:
  // Headers of a request or of a final response. The receiver may move them away.
  virtual void onHeaders(HeaderMap& headers, bool end_stream) = 0;
  // Takes what it wants of bytes; what it leaves is dropped.
  virtual void onBody(base::BufferChain& bytes, bool end_stream) = 0;
  virtual void onTrailers(HeaderMap& trailers) = 0;
  // HTTP/2 where it is allowed: at any time before the end, on the client's side before onHeaders() too. The receiver
  // may move it away. Pauses do not hold it.
  virtual void onMetadata(Metadata& metadata) { (void)metadata; }
  // Client side only: a 1xx response other than 101. Any number may come before onHeaders.
  virtual void onInformational(HeaderMap& headers) { (void)headers; }
  // Server side only: the request cannot be understood. The receiver should answer with this status and close;
  // onHeaders may or may not have been called before. Nothing else is received on this connection afterwards.
  virtual void onMalformed(int status, const base::Error& why) {
    (void)status;
    (void)why;
  }
  // The stream is gone. Nothing else is told.
  virtual void onReset(ResetReason reason, std::string_view detail) = 0;
  // Both directions have ended. Nothing else is told. Server side: told when the response has been written.
  virtual void onComplete() {}
  // Sending side: more than the limit is waiting to be sent / it has gone down again. Told at most alternately.
  virtual void onSendBlocked() {}
  virtual void onSendDrained() {}

 protected:
  ~StreamReceiver() = default;
};

// Sends one message, and steers the receiving of its counterpart.
class Stream {
 public:
  // A final response or a request. Framing headers (content-length, transfer-encoding, connection) are the codec's to
  // judge and write: see http1/README notes in its headers.
  virtual void sendHeaders(const HeaderMap& headers, bool end_stream) = 0;
  virtual void sendInformational(const HeaderMap& headers) = 0;  // Server side: 100, 103.
  // Client side, before sendHeaders(): the request may ask for another protocol (an upgrade, or CONNECT), and its body
  // is not sent before the answer has granted it. Without this, whatever a plugin wrote into the headers, it is an
  // ordinary request.
  virtual void expectTunnel() {}
  virtual void sendBody(base::BufferChain& bytes, bool end_stream) = 0;
  virtual void sendTrailers(const HeaderMap& trailers) = 0;
  // Where the protocol has it and it is allowed, else it is dropped. A request's after its headers. May go before body
  // that waits for window.
  virtual void sendMetadata(const Metadata& metadata) { (void)metadata; }
  // Ends the stream without a proper end. HTTP/1: the connection cannot be used further. The receiver is not told.
  virtual void reset(ResetReason reason) = 0;
  // Flow control for what is received: counted, so that two pauses need two resumes.
  virtual void pauseReceiving() = 0;
  virtual void resumeReceiving() = 0;
  virtual Protocol protocol() const = 0;
  // Bytes of this message put on the wire so far, head and framing included.
  virtual uint64_t bytesSent() const = 0;
  virtual uint64_t bytesReceived() const = 0;
  // Of those, the field lines of heads and trailers as they stood on the wire; and before compression, where there is
  // one.
  virtual uint64_t headerBytesSent() const { return 0; }
  virtual uint64_t headerBytesReceived() const { return 0; }
  virtual uint64_t plainHeaderBytesSent() const { return headerBytesSent(); }
  virtual uint64_t plainHeaderBytesReceived() const { return headerBytesReceived(); }

 protected:
  ~Stream() = default;
};

// A connection with a client.
class ServerCodec {
 public:
  class Events {
   public:
    // A request begins. The receiver must live until its onComplete() or onReset(), or until it calls Stream::reset().
    virtual StreamReceiver& onNewStream(Stream& stream) = 0;
    // Reading should stop / may go on (flow control of HTTP/1, which has no other).
    virtual void onPauseConnection() = 0;
    virtual void onResumeConnection() = 0;

   protected:
    ~Events() = default;
  };

  virtual ~ServerCodec() = default;
  // Consumes what it can. HTTP/1: stops after one request until its response is complete; call again then (as when more
  // bytes come). An error means that the connection must be closed, after what is on the wire was flushed.
  virtual base::Result<void> receive(base::BufferChain& bytes) = 0;
  // The peer has finished sending.
  virtual void receiveEnd() = 0;
  // The whole connection belongs to one stream that speaks another protocol (HTTP/1 after an upgrade or a CONNECT that
  // was taken): the peer's end is then that stream's last part, and not the end of the connection.
  virtual bool tunnels() const { return false; }
  // The connection is gone: tells every stream's receiver onReset(ConnectionTermination).
  virtual void connectionLost(std::string_view detail) = 0;
  // Ask clients to go: HTTP/1 answers with "connection: close" from now on, HTTP/2 sends GOAWAY. Repeating it does no
  // harm.
  virtual void drain() = 0;
  // No stream is open and nothing more may come (after drain, "connection: close" or an error): close after flushing.
  virtual bool finished() const = 0;
  virtual size_t activeStreams() const = 0;
  // The wire has too much unsent / has drained: passed on to the streams.
  virtual void wireBlocked() = 0;
  virtual void wireDrained() = 0;
  virtual Protocol protocol() const = 0;
};

// A connection with an upstream endpoint.
class ClientCodec {
 public:
  virtual ~ClientCodec() = default;
  // Begins a request. The receiver must live until its onComplete() or onReset(), or until it calls Stream::reset().
  virtual Stream& newStream(StreamReceiver& receiver) = 0;
  // An error means that the connection must be closed; streams were told onReset(ProtocolError) before.
  virtual base::Result<void> receive(base::BufferChain& bytes) = 0;
  virtual void receiveEnd() = 0;
  virtual void connectionLost(std::string_view detail) = 0;
  // Whether a further newStream() may be called now, and whether ever again.
  virtual bool available() const = 0;
  virtual bool reusable() const = 0;
  virtual size_t activeStreams() const = 0;
  virtual void wireBlocked() = 0;
  virtual void wireDrained() = 0;
  virtual Protocol protocol() const = 0;
};

}  // namespace weir::http
