#include "http/grpc_messages.h"

namespace weir::http {
namespace {

constexpr size_t kPrefix = 5;

}  // namespace

std::string grpcPrefix(uint32_t size) {
  std::string out(kPrefix, '\0');
  for (size_t i = 1; i < kPrefix; ++i) out[i] = static_cast<char>(size >> (8 * (kPrefix - 1 - i)));
  return out;
}

std::optional<GrpcMessages::Message> GrpcMessages::next() {
  if (fault_ != Fault::None || pending_.size() < kPrefix) return std::nullopt;
  const std::string_view prefix = pending_.linearize(kPrefix);
  const auto flag = static_cast<uint8_t>(prefix[0]);
  uint32_t length = 0;
  for (size_t i = 1; i < kPrefix; ++i) length = length << 8 | static_cast<uint8_t>(prefix[i]);
  if (flag > 1) fault_ = Fault::BadFlag;
  if (fault_ == Fault::None && length > max_message_) fault_ = Fault::TooLong;
  if (fault_ != Fault::None || pending_.size() - kPrefix < length) return std::nullopt;

  Message message{flag == 1, {}};
  pending_.drain(kPrefix);
  message.bytes.appendFrom(pending_, length);
  return message;
}

}  // namespace weir::http
