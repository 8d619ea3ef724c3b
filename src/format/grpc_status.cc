#include "format/entry.h"
#include "http/grpc.h"

namespace weir::format {
namespace {

std::optional<int64_t> statusIn(const http::HeaderMap* headers) {
  if (headers == nullptr) return std::nullopt;
  return http::grpcStatusOf(*headers);
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
