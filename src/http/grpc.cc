#include "http/grpc.h"

namespace weir::http {

bool isGrpc(const HeaderMap& request) {
  constexpr std::string_view kGrpc = "application/grpc";
  const std::string_view type = request.getOr(HeaderId::ContentType, "");
  return type.starts_with(kGrpc) && (type.size() == kGrpc.size() || type[kGrpc.size()] == '+');
}

int grpcStatusFor(int http_status) {
  switch (http_status) {
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

}  // namespace weir::http
