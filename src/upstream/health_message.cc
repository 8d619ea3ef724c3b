#include "upstream/health_message.h"

#include <optional>

#include "base/wire.h"

namespace weir::upstream {
namespace {

// gRPC over HTTP/2, "Length-Prefixed-Message": whether it is compressed, and its length.
constexpr size_t kPrefix = 5;

uint32_t lengthOf(std::string_view prefix) {
  uint32_t length = 0;
  for (size_t i = 1; i < kPrefix; ++i) length = length << 8 | static_cast<uint8_t>(prefix[i]);
  return length;
}

void putVarint(uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

// Field 1, a varint; the last one counts. Nullopt: no message.
std::optional<uint64_t> statusOf(std::string_view bytes) {
  uint64_t status = 0;
  base::WireReader reader(bytes);
  while (const auto field = reader.next()) {
    const bool is_status = field->number == 1 && field->kind == base::WireField::Kind::Varint;
    if (is_status) status = field->value & UINT32_MAX;  // An enum has 32 bits.
  }
  if (reader.malformed()) return std::nullopt;
  return status;
}

}  // namespace

std::string healthRequest(std::string_view service) {
  std::string message;
  if (!service.empty()) {
    message.push_back('\x0a');  // Field 1, a string.
    putVarint(service.size(), message);
    message += service;
  }
  std::string out(kPrefix, '\0');
  for (size_t i = 1; i < kPrefix; ++i) out[i] = static_cast<char>(message.size() >> (8 * (kPrefix - 1 - i)));
  return out + message;
}

bool HealthResponseReader::read(std::string_view bytes) {
  pending_ += bytes;
  while (pending_.size() >= kPrefix) {
    const uint32_t length = lengthOf(pending_);
    if (static_cast<uint8_t>(pending_[0]) > 1 || length > kMaxMessage) return false;
    if (pending_.size() < kPrefix + length) return true;
    if (length > 0 && !readMessage()) return false;
    pending_.erase(0, kPrefix + length);
  }
  return true;
}

bool HealthResponseReader::readMessage() {
  if (complete_ || pending_[0] != 0) return false;
  complete_ = true;
  const auto status = statusOf(std::string_view(pending_).substr(kPrefix, lengthOf(pending_)));
  if (!status) return false;
  status_ = *status;
  return true;
}

}  // namespace weir::upstream
