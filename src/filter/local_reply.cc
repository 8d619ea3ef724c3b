#include "filter/local_reply.h"

#include <fmt/core.h>

#include <string>

#include "http/grpc.h"

namespace weir::filter {
namespace {

// gRPC over HTTP/2, "Percent-Encoded": everything but printable ASCII, and '%'.
std::string percentEncoded(std::string_view text) {
  while (text.ends_with('\n'))
    text.remove_suffix(1);  // A message is one line; what ends a JSON body is not part of it.
  std::string out;
  for (const char c : text) {
    if (c >= ' ' && c <= '~' && c != '%') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace

http::HeaderMap localReplyHeaders(const LocalReply& reply, bool grpc_request) {
  http::HeaderMap headers;
  headers.add(http::HeaderId::Status, std::to_string(reply.status));
  for (const auto& [name, value] : reply.headers) headers.add(name, value);
  if (grpc_request) {
    const int grpc_status = reply.grpc_status >= 0 ? reply.grpc_status : http::grpcStatusFor(reply.status);
    headers.set(http::HeaderId::Status, "200");
    headers.set(http::HeaderId::ContentType, "application/grpc");
    headers.set(http::HeaderId::GrpcStatus, std::to_string(grpc_status));
    if (!reply.body.empty()) headers.set(http::HeaderId::GrpcMessage, percentEncoded(reply.body));
    return headers;
  }
  headers.remove(http::HeaderId::ContentLength);
  if (reply.body.empty()) {
    headers.remove(http::HeaderId::ContentType);
    return headers;
  }
  headers.add(http::HeaderId::ContentLength, std::to_string(reply.body.size()));
  if (!headers.has(http::HeaderId::ContentType)) headers.add(http::HeaderId::ContentType, "text/plain");
  return headers;
}

}  // namespace weir::filter
