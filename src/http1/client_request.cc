// The sending half of ClientConnection.
#include <algorithm>

#include "base/check.h"
#include "http1/client_connection.h"
#include "http1/framing.h"
#include "http1/head_writer.h"

namespace weir::http1 {
namespace {

using http::HeaderId;

// What can stand between the spaces of a request line.
bool isVisible(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
}

// RFC 9112 3.2: Host is always sent, and may be empty.
bool isHost(const std::optional<std::string_view>& authority) {
  return authority && (authority->empty() || isVisible(*authority));
}

// Plugins may set anything; what is no request line must not reach the wire.
bool writable(const http::HeaderMap& headers, bool may_switch) {
  const std::string_view method = headers.getOr(HeaderId::Method, "");
  const bool connect = method == "CONNECT";
  const std::string_view target = headers.getOr(connect ? HeaderId::Authority : HeaderId::Path, "");
  if (connect && !may_switch) return false;
  return http::validName(method) && isVisible(target) && isHost(headers.get(HeaderId::Authority));
}

// RFC 9110 7.8
bool asksForUpgrade(const http::HeaderMap& headers) {
  if (!headers.has(HeaderId::Upgrade)) return false;
  bool asks = false;
  for (const auto& entry : headers) {
    if (entry.id != HeaderId::Connection) continue;
    forEachToken(entry.value, [&asks](std::string_view token) { asks |= http::equalsIgnoreCase(token, "upgrade"); });
  }
  return asks;
}

// RFC 9110 9.3: methods whose requests usually have no content, so that an empty one needs no "content-length: 0".
bool usuallyBodiless(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "DELETE" || method == "TRACE";
}

}  // namespace

void ClientConnection::sendHeaders(const http::HeaderMap& headers, bool end_stream) {
  CHECK(receiver_ != nullptr && !head_sent_);
  if (!writable(headers, may_switch_ && !end_stream)) {
    // Nothing was written, so the connection stays as good as it was.
    http::StreamReceiver* const receiver = receiver_;
    forgetStream();
    return receiver->onReset(http::ResetReason::LocalReset, "http1.invalid_request_headers");
  }
  head_sent_ = true;
  const std::string_view method = *headers.get(HeaderId::Method);
  is_head_ = method == "HEAD";
  is_connect_ = method == "CONNECT";
  switches_ = may_switch_ && !end_stream && (is_connect_ || asksForUpgrade(headers));
  const std::optional<uint64_t> length = announcedLength(headers);
  const bool keep_length = length && (!end_stream || *length == 0);
  const bool chunked = !end_stream && !length && !switches_;
  const bool empty = end_stream && !keep_length && (!usuallyBodiless(method) || length);
  if (wantsClose(headers) || switches_) reusable_ = false;

  base::BufferChain out;
  {
    HeadWriter writer(out, headers.bytes() + headers.size() * 4 + 96, settings_.proper_case);
    writer.put(method);
    writer.put(" ");
    writer.put(*headers.get(is_connect_ ? HeaderId::Authority : HeaderId::Path));
    writer.put(" HTTP/1.1\r\n");
    writer.putFields(headers, FieldsIn::Request, keep_length);
    if (chunked) writer.putField("transfer-encoding", "chunked");
    if (empty) writer.putField("content-length", "0");
    if (switches_) {
      writer.putUpgrade(headers);
    } else if (wantsClose(headers)) {
      writer.putField("connection", "close");
    }
    writer.put("\r\n");
    field_bytes_sent_ += writer.fieldBytes();
  }
  body_writer_.expectNone();
  if (chunked) body_writer_.expectChunks();
  if (!end_stream && length) body_writer_.expectLength(*length);
  if (switches_) body_writer_.expectUntilClose();
  put(out);
  if (end_stream) endRequest();
}

void ClientConnection::sendBody(base::BufferChain& bytes, bool end_stream) {
  CHECK(receiver_ != nullptr && head_sent_);
  base::BufferChain out;
  body_writer_.write(bytes, end_stream, out);
  put(out);
  if (end_stream) endRequest();
}

void ClientConnection::sendTrailers(const http::HeaderMap& trailers) {
  CHECK(receiver_ != nullptr && head_sent_);
  base::BufferChain out;
  if (settings_.enable_trailers) {
    body_writer_.writeTrailers(trailers, out);
  } else {
    base::BufferChain nothing;
    body_writer_.write(nothing, true, out);
  }
  put(out);
  endRequest();
}

void ClientConnection::put(base::BufferChain& out) {
  if (out.empty()) return;
  bytes_sent_ += out.size();
  wire_.send(out);
}

// The response may already have begun; its end ends the stream.
void ClientConnection::endRequest() {
  if (switches_) {
    wire_.sendEnd();
    request_sent_ = true;
    base::BufferChain nothing;
    if (reading_ == Reading::Ended) endResponse(nothing);
    return;
  }
  if (body_writer_.isShort()) {
    return endWith(http::ResetReason::LocalReset, "http1.request_shorter_than_content_length");
  }
  request_sent_ = true;
}

void ClientConnection::reset(http::ResetReason reason) {
  reusable_ = false;
  given_up_ = true;
  forgetStream();
}

}  // namespace weir::http1
