// HTTP/1.1 and 1.0 (RFC 9112), strictly: what two parsers could read differently is refused.
//
// Messages look as in HTTP/2: a request begins with ":authority" (from Host, or from an absolute-form target), ":path",
// ":method" and, only for an absolute-form target, ":scheme"; a response with ":status". All other fields follow in
// order, hop-by-hop ones included, because the layer above decides on upgrades; see fields.h for what is joined.
//
// Framing belongs to the codec. Received: exactly one valid Content-Length or exactly "Transfer-Encoding: chunked",
// never both. Sent: "transfer-encoding", "keep-alive" and "proxy-connection" of the map are not written and
// "connection" only as a wish to close; a valid "content-length" is kept, otherwise the body is chunked (or, for an
// HTTP/1.0 client, ends with the connection). A body longer than its content-length is cut, one that is shorter ends
// the connection. Names and values that may not stand on the wire are left out, whoever set them.
//
// Upgrades and CONNECT: such a request has no end of its own (onHeaders(..., false)), and what comes behind its head is
// not looked at before it is answered. With 101, or 2xx to a CONNECT, the connection is a tunnel: bytes pass as body
// parts in both directions, each direction ends by itself, and Wire::sendEnd() tells the peer. With any other answer
// what came is dropped and the connection ends. "connection" and "upgrade" of these messages are written as they are.
// An upgrade of a request with a body is refused: where the body ends would be a matter of opinion.
//
// Body parts are told as Envoy tells them: what one receive() brought in one onBody(bytes, false), and the end in an
// onBody(empty, true) of its own; a message without a body ends with its headers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "http/codec.h"

namespace weir::http1 {

// A head, and with it a trailer section, over either limit is answered with 431 (client side: a protocol error).
struct Limits {
  uint32_t max_headers_kb = 60;      // Names and values; while the head is incomplete little more is kept.
  uint32_t max_headers_count = 100;  // Fields.
};

// Chunk extensions of one body, which mean nothing to anybody here; more is an attack.
inline constexpr size_t kMaxChunkExtensionBytes = 16 * 1024;
// 1xx responses before one final response.
inline constexpr int kMaxInformational = 100;
// Empty lines before a request line (RFC 9112 2.2).
inline constexpr int kMaxEmptyLines = 4;
// Bytes of pipelined requests that may wait before the connection is paused.
inline constexpr size_t kMaxPipelinedBytes = 64 * 1024;

struct ServerSettings {
  uint32_t max_headers_kb = 60;
  uint32_t max_headers_count = 100;
  bool accept_http_10 = false;  // Otherwise 426, as Envoy.
  std::string default_host_for_http_10;
  bool enable_trailers = false;  // Otherwise trailers are checked and dropped, and none are sent.
  bool allow_absolute_url = true;
  bool proper_case = false;  // Field names are written as "Content-Type".
};

// One request at a time; the next is parsed when the response has been sent.
//
// A malformed request is told once, by onMalformed(status, why), with why.detail as Envoy's response code details name
// it; what comes after it is dropped. receive() still succeeds then, so that the answer can be sent in any number of
// turns; finished() holds as soon as it has been. receive() fails only if the stream was over when the fault was found.
//
// A response that ends before its request has been received ends the stream (onComplete) and the connection.
// finished() after drain() holds when the response under way has been sent; an idle connection is its owner's to close.
// receiveEnd() within a request resets it; after one, the response can still be sent.
// pauseReceiving() stops the connection's reading by Events; bytes that receive() was given already are delivered.
std::unique_ptr<http::ServerCodec> createServerCodec(http::Wire& wire, http::ServerCodec::Events& events,
                                                     const ServerSettings& settings);

struct ClientSettings {
  uint32_t max_headers_kb = 60;
  uint32_t max_headers_count = 100;
  bool enable_trailers = false;
  bool proper_case = false;  // As ServerSettings.
};

// Stops and goes on with the reading of a client connection: flow control of HTTP/1, which has no other. And tells the
// connection's owner that its stream is over, however it ended: before the stream's receiver hears of it, so that the
// receiver can have the connection again. available() and reusable() are settled then; the codec must not be destroyed.
class ReadControl {
 public:
  virtual void onPauseConnection() = 0;
  virtual void onResumeConnection() = 0;
  virtual void onStreamOver() {}

 protected:
  ~ReadControl() = default;
};

// One request at a time. A response that ends before its request was sent ends the stream; the connection is not reused
// then. reset() leaves a connection that is not reusable, for its owner to close. read_control may be null (tests).
std::unique_ptr<http::ClientCodec> createClientCodec(http::Wire& wire, const ClientSettings& settings,
                                                     ReadControl* read_control = nullptr);

}  // namespace weir::http1
