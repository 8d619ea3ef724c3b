// The sending half of ClientConnection.
#include <algorithm>

#include "base/check.h"
#include "http1/client_connection.h"
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
bool writable(const http::HeaderMap& headers) {
  const std::string_view method = headers.getOr(HeaderId::Method, "");
  return http::validName(method) && method != "CONNECT" && isVisible(headers.getOr(HeaderId::Path, "")) &&
         isHost(headers.get(HeaderId::Authority));
}

// RFC 9110 9.3: methods whose requests usually have no content, so that an empty one needs no "content-length: 0".
bool usuallyBodiless(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "DELETE" || method == "TRACE";
}

}  // namespace

void ClientConnection::sendHeaders(const http::HeaderMap& headers, bool end_stream) {
  CHECK(receiver_ != nullptr && !head_sent_);
  if (!writable(headers)) {
    // Nothing was written, so the connection stays as good as it was.
    http::StreamReceiver* const receiver = receiver_;
    forgetStream();
    return receiver->onReset(http::ResetReason::LocalReset, "http1.invalid_request_headers");
  }
  head_sent_ = true;
  const std::string_view method = *headers.get(HeaderId::Method);
  is_head_ = method == "HEAD";
  const std::optional<uint64_t> length = announcedLength(headers);
  const bool keep_length = length && (!end_stream || *length == 0);
  const bool chunked = !end_stream && !length;
  const bool empty = end_stream && !keep_length && (!usuallyBodiless(method) || length);
  if (wantsClose(headers)) reusable_ = false;

  base::BufferChain out;
  {
    HeadWriter writer(out, headers.bytes() + headers.size() * 4 + 96, settings_.proper_case);
    writer.put(method);
    writer.put(" ");
    writer.put(*headers.get(HeaderId::Path));
    writer.put(" HTTP/1.1\r\n");
    writer.putFields(headers, FieldsIn::Request, keep_length);
    if (chunked) writer.putField("transfer-encoding", "chunked");
    if (empty) writer.putField("content-length", "0");
    if (wantsClose(headers)) writer.putField("connection", "close");
    writer.put("\r\n");
    field_bytes_sent_ += writer.fieldBytes();
  }
  body_writer_.expectNone();
  if (chunked) body_writer_.expectChunks();
  if (!end_stream && length) body_writer_.expectLength(*length);
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
  if (body_writer_.isShort()) {
    return endWith(http::ResetReason::LocalReset, "http1.request_shorter_than_content_length");
  }
  request_sent_ = true;
}

void ClientConnection::reset(http::ResetReason reason) {
  reusable_ = false;
  forgetStream();
}

}  // namespace weir::http1
