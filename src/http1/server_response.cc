// The sending half of ServerConnection.
#include <utility>

#include "base/check.h"
#include "http/status.h"
#include "http1/head_writer.h"
#include "http1/server_connection.h"

namespace weir::http1 {
namespace {

using http::HeaderId;

// A status that is none can only come from a plugin; the client gets what Envoy makes of it.
constexpr int kInsteadOfBadStatus = 503;

int statusOf(const http::HeaderMap& headers) {
  return http::parseStatus(headers.getOr(HeaderId::Status, "")).value_or(kInsteadOfBadStatus);
}

// Room for start line, framing and connection fields, and ": " and CRLF of each field.
size_t expectedSize(const http::HeaderMap& headers) { return headers.bytes() + headers.size() * 4 + 128; }

void putStatusLine(HeadWriter& writer, std::string_view version, int status) {
  writer.put(version);
  writer.put(" ");
  writer.putNumber(static_cast<uint64_t>(status));
  writer.put(" ");
  writer.put(http::reasonPhrase(status));
  writer.put("\r\n");
}

}  // namespace

void ServerConnection::sendInformational(const http::HeaderMap& headers) {
  CHECK(receiver_ != nullptr);
  if (head_sent_ || request_.version_minor == 0) return;  // RFC 9110 15.2: never to an HTTP/1.0 client.
  base::BufferChain out;
  {
    HeadWriter writer(out, expectedSize(headers), settings_.proper_case);
    putStatusLine(writer, "HTTP/1.1", statusOf(headers));
    writer.putFields(headers, FieldsIn::Informational);
    writer.put("\r\n");
  }
  put(out);
}

// RFC 9112 6: which of the ways to show where the body ends; also what body_writer_ is to do.
ServerConnection::FramingField ServerConnection::announceBody(const http::HeaderMap& headers, int status,
                                                              bool end_stream) {
  body_writer_.expectNone();
  if (takesTunnel(status)) {
    tunnel_ = true;
    body_writer_.expectUntilClose();
    return FramingField::None;
  }
  if (status < 200 || status == 204) return FramingField::None;
  const std::optional<uint64_t> length = announcedLength(headers);
  if (request_.is_head || status == 304) {
    if (length) return FramingField::GivenLength;  // What a GET would have had.
    return status == 304 || request_.version_minor == 0 ? FramingField::None : FramingField::Chunked;
  }
  // A filter may have taken the body away and left its length.
  if (end_stream) return length == 0 ? FramingField::GivenLength : FramingField::ZeroLength;
  if (length) {
    body_writer_.expectLength(*length);
    return FramingField::GivenLength;
  }
  if (request_.version_minor == 0) {
    body_writer_.expectUntilClose();
    persistent_ = false;
    return FramingField::None;
  }
  body_writer_.expectChunks();
  return FramingField::Chunked;
}

// RFC 9110 7.8 and 9.3.6.
bool ServerConnection::takesTunnel(int status) const {
  if (reading_ != Reading::Switching) return false;
  return request_.is_connect ? status >= 200 && status < 300 : status == 101;
}

void ServerConnection::sendHeaders(const http::HeaderMap& headers, bool end_stream) {
  CHECK(receiver_ != nullptr && !head_sent_);
  head_sent_ = true;
  const int status = statusOf(headers);
  const FramingField framing = announceBody(headers, status, end_stream);
  // An answer that overtakes its request ends the connection: nobody knows how much of the request is still to come.
  if (draining_ || reading_ != Reading::NextRequest || wantsClose(headers)) persistent_ = false;

  const bool http_10 = request_.version_minor == 0;
  base::BufferChain out;
  {
    HeadWriter writer(out, expectedSize(headers), settings_.proper_case);
    putStatusLine(writer, http_10 ? "HTTP/1.0" : "HTTP/1.1", status);
    writer.putFields(headers, FieldsIn::Response, framing == FramingField::GivenLength);
    if (framing == FramingField::ZeroLength) writer.putField("content-length", "0");
    if (framing == FramingField::Chunked) writer.putField("transfer-encoding", "chunked");
    if (tunnel_) writer.putUpgrade(headers);
    if (!persistent_ && !tunnel_) writer.putField("connection", "close");
    if (persistent_ && http_10) writer.putField("connection", "keep-alive");
    writer.put("\r\n");
    field_bytes_sent_ += writer.fieldBytes();
  }
  put(out);
  if (tunnel_) reading_ = Reading::Tunnel;
  if (end_stream) endResponse();
}

void ServerConnection::sendBody(base::BufferChain& bytes, bool end_stream) {
  CHECK(receiver_ != nullptr && head_sent_);
  base::BufferChain out;
  body_writer_.write(bytes, end_stream, out);
  put(out);
  if (end_stream) endResponse();
}

void ServerConnection::sendTrailers(const http::HeaderMap& trailers) {
  CHECK(receiver_ != nullptr && head_sent_);
  base::BufferChain out;
  if (settings_.enable_trailers) {
    body_writer_.writeTrailers(trailers, out);
  } else {
    base::BufferChain nothing;
    body_writer_.write(nothing, true, out);
  }
  put(out);
  endResponse();
}

void ServerConnection::put(base::BufferChain& out) {
  if (out.empty()) return;
  bytes_sent_ += out.size();
  wire_.send(out);
}

void ServerConnection::endResponse() {
  if (tunnel_) {
    wire_.sendEnd();
    response_ended_ = true;
    if (reading_ == Reading::Tunnel) return;  // The client's direction goes on.
    reading_ = Reading::Nothing;
    return completeTunnel();
  }
  const bool broken = body_writer_.isShort();
  const bool goes_on = persistent_ && !draining_ && !broken && reading_ == Reading::NextRequest;
  reading_ = goes_on ? Reading::Head : Reading::Nothing;
  http::StreamReceiver* const receiver = receiver_;
  endStream();
  if (broken) return receiver->onReset(http::ResetReason::LocalReset, "http1.response_shorter_than_content_length");
  receiver->onComplete();
}

void ServerConnection::reset(http::ResetReason reason) {
  reading_ = Reading::Nothing;
  persistent_ = false;
  endStream();
}

void ServerConnection::endStream() {
  receiver_ = nullptr;
  pauses_ = 0;
  backlog_ = false;
  steerReading();
}

}  // namespace weir::http1
