// What changes the stream's course: local replies, continuing, closing. All of it happens after the guest has returned
// (abi.md 2.7, 2.8).
#include <algorithm>

#include "base/log.h"
#include "proxy_wasm/connection_context.h"
#include "proxy_wasm/header_edit.h"
#include "proxy_wasm/host_functions.h"
#include "proxy_wasm/pairs.h"
#include "proxy_wasm/root_context.h"
#include "proxy_wasm/stream_context.h"

namespace weir::proxy_wasm {
namespace {

// Details stand in one word of an access log.
std::string oneWord(std::string_view text) {
  std::string word(text);
  std::replace_if(
      word.begin(), word.end(), [](unsigned char c) { return c <= ' '; }, '_');
  return word;
}

// What a plugin may add to a reply: not what frames it, nor what the connection is about.
bool allowedInReply(std::string_view name, std::string_view value) {
  if (!http::validName(name) || !usableValue(value)) return false;
  const http::HeaderId id = http::wellKnownId(name);
  return id != http::HeaderId::Connection && id != http::HeaderId::TransferEncoding;
}

AbiStatus sendLocalResponse(Call& call, uint32_t status, uint32_t details, uint32_t details_size, uint32_t body,
                            uint32_t body_size, uint32_t pairs, uint32_t pairs_size, uint32_t grpc_status) {
  const auto details_text = call.read(details, details_size);
  const auto body_text = call.read(body, body_size);
  const auto pairs_bytes = call.read(pairs, pairs_size);
  if (!details_text || !body_text || !pairs_bytes) return AbiStatus::InvalidMemoryAccess;
  StreamContext* const stream = call.stream();
  if (stream == nullptr) {
    // As Envoy: Ok, and nothing happens. Plugin authors look for it for hours: say it.
    LOG(Wasm, Warning,
        "proxy_send_local_response without a stream does nothing; call proxy_set_effective_context first");
    return AbiStatus::Ok;
  }

  filter::LocalReply reply;
  reply.status = status >= 200 && status <= 599 ? static_cast<int>(status) : 500;
  reply.details = oneWord(*details_text);
  reply.body = *body_text;
  reply.grpc_status = grpc_status <= 16 ? static_cast<int>(grpc_status) : -1;
  // Malformed pairs are no pairs; what is no header is left out: the reply itself matters more.
  if (const auto headers = parsePairs(*pairs_bytes)) {
    for (const auto& [name, value] : *headers) {
      if (allowedInReply(name, value)) reply.headers.emplace_back(name, value);
    }
  }
  stream->askReply(std::move(reply));
  return AbiStatus::Ok;
}

void continueDirection(Call& call, StreamType direction) {
  if (StreamContext* const stream = call.stream(); stream != nullptr) stream->askContinue(direction);
}

AbiStatus continueStream(Call& call, uint32_t type) {
  const auto direction = checked<StreamType>(type);
  if (!direction) return AbiStatus::BadArgument;
  if (*direction == StreamType::Upstream) return AbiStatus::Unimplemented;
  if (*direction != StreamType::Downstream) {
    continueDirection(call, *direction);
  } else if (ConnectionContext* const connection = call.context().connection(); connection != nullptr) {
    connection->askContinue();
  }
  return AbiStatus::Ok;
}

AbiStatus continueRequest(Call& call) {
  continueDirection(call, StreamType::Request);
  return AbiStatus::Ok;
}

AbiStatus continueResponse(Call& call) {
  continueDirection(call, StreamType::Response);
  return AbiStatus::Ok;
}

AbiStatus closeStream(Call& call, uint32_t type) {
  const auto direction = checked<StreamType>(type);
  if (!direction) return AbiStatus::BadArgument;
  const bool http = *direction == StreamType::Request || *direction == StreamType::Response;
  StreamContext* const stream = call.stream();
  ConnectionContext* const connection = call.context().connection();
  if (http && stream != nullptr) stream->askClose();
  if (!http && connection != nullptr) connection->askClose(*direction);
  return AbiStatus::Ok;
}

AbiStatus clearRouteCache(Call& call) {
  if (StreamContext* const stream = call.stream(); stream != nullptr) stream->clearRouteCache();
  return AbiStatus::Ok;
}

}  // namespace

std::vector<HostFunctionEntry> streamFunctions() {
  return {hostFunction<"env.proxy_send_local_response", sendLocalResponse>(),
          hostFunction<"env.proxy_continue_stream", continueStream>(),
          hostFunction<"env.proxy_continue_request", continueRequest>(),
          hostFunction<"env.proxy_continue_response", continueResponse>(),
          hostFunction<"env.proxy_close_stream", closeStream>(),
          hostFunction<"env.proxy_clear_route_cache", clearRouteCache>()};
}

}  // namespace weir::proxy_wasm
