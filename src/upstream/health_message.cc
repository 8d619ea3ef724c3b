#include "upstream/health_message.h"

#include <optional>

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

std::optional<uint64_t> takeVarint(std::string_view& bytes) {
  uint64_t value = 0;
  for (uint32_t shift = 0; shift < 70 && !bytes.empty(); shift += 7) {
    const uint8_t byte = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    value |= shift < 64 ? static_cast<uint64_t>(byte & 0x7f) << shift : 0;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

bool skip(std::string_view& bytes, uint64_t size) {
  if (size > bytes.size()) return false;
  bytes.remove_prefix(size);
  return true;
}

// The value of a field whose meaning is not known, by its wire type. Groups are of no message that is written today.
bool skipValue(std::string_view& bytes, uint64_t wire_type) {
  switch (wire_type) {
    case 0: return takeVarint(bytes).has_value();
    case 1: return skip(bytes, 8);
    case 2: {
      const auto size = takeVarint(bytes);
      return size && skip(bytes, *size);
    }
    case 5: return skip(bytes, 4);
    default: return false;
  }
}

// Field 1, a varint; the last one counts. Nullopt: no message.
std::optional<uint64_t> statusOf(std::string_view bytes) {
  constexpr uint64_t kStatusTag = 1 << 3;
  uint64_t status = 0;
  while (!bytes.empty()) {
    const auto tag = takeVarint(bytes);
    if (!tag || *tag >> 3 == 0 || *tag > UINT32_MAX) return std::nullopt;
    if (*tag != kStatusTag) {
      if (!skipValue(bytes, *tag & 7)) return std::nullopt;
      continue;
    }
    const auto value = takeVarint(bytes);
    if (!value) return std::nullopt;
    status = *value & UINT32_MAX;  // An enum has 32 bits.
  }
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
