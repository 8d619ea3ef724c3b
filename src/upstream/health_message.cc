#include "upstream/health_message.h"

#include <optional>

#include "base/wire.h"
#include "http/grpc_messages.h"

namespace weir::upstream {
namespace {

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
    base::putVarint(service.size(), message);
    message += service;
  }
  return http::grpcPrefix(static_cast<uint32_t>(message.size())) + message;
}

bool HealthResponseReader::read(base::BufferChain& bytes) {
  messages_.add(bytes);
  while (const auto message = messages_.next()) {
    if (!message->bytes.empty() && !readMessage(*message)) return false;
  }
  return messages_.fault() == http::GrpcMessages::Fault::None;
}

bool HealthResponseReader::readMessage(const http::GrpcMessages::Message& message) {
  if (complete_ || message.compressed) return false;
  complete_ = true;
  const auto status = statusOf(message.bytes.toString());
  if (!status) return false;
  status_ = *status;
  return true;
}

}  // namespace weir::upstream
