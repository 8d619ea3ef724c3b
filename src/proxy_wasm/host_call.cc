// proxy_http_call: abi.md 2.9.
#include "proxy_wasm/header_edit.h"
#include "proxy_wasm/host_functions.h"
#include "proxy_wasm/pairs.h"
#include "proxy_wasm/root_context.h"

namespace weir::proxy_wasm {
namespace {

// False: malformed, or with something that is no header.
bool fill(http::HeaderMap& map, HeaderMapType type, std::string_view bytes) {
  const auto pairs = parsePairs(bytes);
  if (!pairs) return false;
  for (const auto& [name, value] : *pairs) {
    if (!usableName(name) || !usableValue(value)) return false;
    addHeader(map, nameIn(type, name), value);
  }
  return true;
}

bool complete(const http::HeaderMap& headers) {
  return headers.has(http::HeaderId::Path) && headers.has(http::HeaderId::Method) &&
         headers.has(http::HeaderId::Authority);
}

AbiStatus httpCall(Call& call, uint32_t cluster, uint32_t cluster_size, uint32_t headers, uint32_t headers_size,
                   uint32_t body, uint32_t body_size, uint32_t trailers, uint32_t trailers_size, uint32_t timeout_ms,
                   uint32_t out_token) {
  const auto cluster_name = call.read(cluster, cluster_size);
  const auto header_bytes = call.read(headers, headers_size);
  const auto body_bytes = call.read(body, body_size);
  const auto trailer_bytes = call.read(trailers, trailers_size);
  if (!cluster_name || !header_bytes || !body_bytes || !trailer_bytes) return AbiStatus::InvalidMemoryAccess;
  if (!call.writeU32(out_token, 0)) return AbiStatus::InvalidMemoryAccess;
  RootContext* const root = call.root();
  if (root == nullptr || timeout_ms > 0x7fffffff) return AbiStatus::BadArgument;

  upstream::HttpCallRequest request;
  if (!fill(request.headers, HeaderMapType::RequestHeaders, *header_bytes)) return AbiStatus::BadArgument;
  if (!fill(request.trailers, HeaderMapType::RequestTrailers, *trailer_bytes)) return AbiStatus::BadArgument;
  if (!complete(request.headers)) return AbiStatus::BadArgument;
  request.body.append(*body_bytes);
  request.timeout = std::chrono::milliseconds(timeout_ms);

  uint32_t token = 0;
  const AbiStatus begun = root->call(*cluster_name, std::move(request), token);
  if (begun != AbiStatus::Ok) return begun;
  return call.writeU32(out_token, token) ? AbiStatus::Ok : AbiStatus::InvalidMemoryAccess;
}

}  // namespace

std::vector<HostFunctionEntry> callFunctions() { return {hostFunction<"env.proxy_http_call", httpCall>()}; }

}  // namespace weir::proxy_wasm
