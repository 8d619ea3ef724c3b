#include <charconv>

#include "format/entry.h"
#include "http/grpc.h"

namespace weir::format {
namespace {

std::optional<int64_t> statusIn(const http::HeaderMap* headers) {
  if (headers == nullptr) return std::nullopt;
  const auto text = headers->get(http::HeaderId::GrpcStatus);
  if (!text || text->empty()) return std::nullopt;
  int64_t status = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), status);
  // As Envoy: a status that is no number is an invalid code, told as -1.
  return parsed.ec == std::errc() && parsed.ptr == text->data() + text->size() ? status : -1;
}

}  // namespace

std::optional<int64_t> grpcStatus(const Entry& entry) {
  if (entry.request == nullptr || !http::isGrpc(*entry.request)) return std::nullopt;
  return statusOfAnyCall(entry);
}

std::optional<int64_t> statusOfAnyCall(const Entry& entry) {
  if (const auto status = statusIn(entry.trailers)) return status;
  if (const auto status = statusIn(entry.response)) return status;
  if (entry.info.response_code == 0) return std::nullopt;
  return http::grpcStatusFor(entry.info.response_code);
}

}  // namespace weir::format
