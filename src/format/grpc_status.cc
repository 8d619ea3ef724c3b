#include <charconv>

#include "format/entry.h"

namespace weir::format {
namespace {

bool isGrpc(const http::HeaderMap& request) {
  constexpr std::string_view kGrpc = "application/grpc";
  const std::string_view type = request.getOr(http::HeaderId::ContentType, "");
  return type.starts_with(kGrpc) && (type.size() == kGrpc.size() || type[kGrpc.size()] == '+');
}

std::optional<int64_t> statusIn(const http::HeaderMap* headers) {
  if (headers == nullptr) return std::nullopt;
  const auto text = headers->get(http::HeaderId::GrpcStatus);
  if (!text || text->empty()) return std::nullopt;
  int64_t status = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), status);
  // As Envoy: a status that is no number is an invalid code, told as -1.
  return parsed.ec == std::errc() && parsed.ptr == text->data() + text->size() ? status : -1;
}

// gRPC's "HTTP to gRPC Status Code Mapping".
int64_t fromHttp(int status) {
  switch (status) {
    case 400: return 13;
    case 401: return 16;
    case 403: return 7;
    case 404: return 12;
    case 429:
    case 502:
    case 503:
    case 504: return 14;
    default: return 2;
  }
}

}  // namespace

std::optional<int64_t> grpcStatus(const Entry& entry) {
  if (entry.request == nullptr || !isGrpc(*entry.request)) return std::nullopt;
  return statusOfAnyCall(entry);
}

std::optional<int64_t> statusOfAnyCall(const Entry& entry) {
  if (const auto status = statusIn(entry.trailers)) return status;
  if (const auto status = statusIn(entry.response)) return status;
  if (entry.info.response_code == 0) return std::nullopt;
  return fromHttp(entry.info.response_code);
}

}  // namespace weir::format
