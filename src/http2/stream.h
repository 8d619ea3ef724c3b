// One stream of a session: what the codec's user sees of it, and what the session keeps for it.
#pragma once

#include <list>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/recycled.h"
#include "http/codec.h"
#include "http2/fields.h"

namespace weir::http2 {

class Session;

// Owned by its session, which does the work: session.h says how a stream comes and goes.
class Stream final : public base::Recycled, public http::Stream {
 public:
  Stream(Session& session, int32_t id, base::MonotonicTime now) : session(session), id(id), begun(now) {}

  void sendHeaders(const http::HeaderMap& headers, bool end_stream) override;
  void sendInformational(const http::HeaderMap& headers) override;
  void expectTunnel() override { may_tunnel = true; }
  void sendBody(base::BufferChain& bytes, bool end_stream) override;
  void sendTrailers(const http::HeaderMap& trailers) override;
  void sendMetadata(const http::Metadata& metadata) override;
  void reset(http::ResetReason reason) override;
  void pauseReceiving() override;
  void resumeReceiving() override;
  http::Protocol protocol() const override { return http::Protocol::Http2; }
  uint64_t bytesSent() const override { return bytes_sent; }
  uint64_t bytesReceived() const override { return bytes_received; }
  // Frame headers included, as Envoy counts them.
  uint64_t headerBytesSent() const override { return header_bytes_sent; }
  uint64_t headerBytesReceived() const override { return header_bytes_received; }
  uint64_t plainHeaderBytesSent() const override { return plain_bytes_sent; }
  uint64_t plainHeaderBytesReceived() const override { return plain_bytes_received; }

  Session& session;
  int32_t id;  // Of a client's stream 0 before its request was sent.
  const base::MonotonicTime begun;
  http::StreamReceiver* receiver = nullptr;  // Null: it has let go, or was told the end.
  size_t position = 0;                       // In the session's list.

  // Receiving.
  FieldReader fields;
  bool head_received = false;  // The final one.
  bool ended = false;          // END_STREAM has come.
  bool end_told = false;
  bool tunnel = false;     // An extended CONNECT (RFC 8441): its 200 is the 101 of HTTP/1.
  base::BufferChain in;    // Come, and not given to the receiver: it has paused.
  size_t in_consumed = 0;  // Of in: bytes for which the connection's window was given back.
  std::string asked;       // Client side: the protocol that an extended CONNECT has asked for.
  std::optional<http::HeaderMap> trailers_in;
  int pauses = 0;
  int informational = 0;
  size_t held_header_bytes = 0;
  std::string metadata_in;         // Of a block of METADATA that is not complete.
  uint64_t metadata_received = 0;  // Bytes, of all blocks.

  // Sending.
  bool may_tunnel = false;                  // Client side: expectTunnel().
  std::optional<http::HeaderMap> head_out;  // Client side: waits for the peer's SETTINGS.
  bool head_sent = false;
  bool to_head = false;  // The request is HEAD.
  bool out_ended = false;
  bool end_sent = false;
  bool waiting = false;  // nghttp2 waits for more body.
  bool blocked = false;  // As the receiver was told.
  base::BufferChain out;
  std::optional<http::HeaderMap> trailers_out;
  std::list<std::string> metadata_out;  // Payloads of METADATA frames that have not left;
  std::list<uint8_t> metadata_flags;    // flags of the last ones of them, which nghttp2 does not know of yet.
  bool head_on_wire = false;            // Client side.

  // The end.
  bool closed = false;  // nghttp2 has closed it.
  bool reset_by_peer = false;
  bool local_reset = false;
  uint32_t close_code = 0;
  std::string_view fault;  // What broke a rule; Envoy's words.

  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  uint64_t header_bytes_sent = 0;  // Of those, HEADERS frames.
  uint64_t header_bytes_received = 0;
  uint64_t plain_bytes_sent = 0;  // Names and values before compression.
  uint64_t plain_bytes_received = 0;
};

}  // namespace weir::http2
