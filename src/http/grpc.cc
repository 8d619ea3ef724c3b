#include "http/grpc.h"

#include <algorithm>
#include <charconv>
#include <utility>

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

std::optional<int64_t> grpcStatusOf(const HeaderMap& fields) {
  const std::string_view text = fields.getOr(HeaderId::GrpcStatus, "");
  if (text.empty()) return std::nullopt;
  int64_t status = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), status);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() ? status : -1;
}

std::string grpcTimeout(base::Duration timeout) {
  constexpr int64_t kMaxDigits = 99'999'999;
  static constexpr std::pair<char, int64_t> kUnits[] = {{'m', 1}, {'S', 1000}, {'M', 60}, {'H', 60}};
  int64_t value = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
  char unit = 'm';
  for (const auto& [name, factor] : kUnits) {
    value /= factor;
    unit = name;
    if (value <= kMaxDigits) break;
  }
  return std::to_string(std::min(value, kMaxDigits)) + unit;
}

}  // namespace weir::http
