// The words of the Proxy-Wasm ABI: what guests and host call each other's numbers by.
//
// Versions 0.1.0, 0.2.0 and 0.2.1, and what Higress has added to the last. Values that come from a guest are checked
// before they become one of these.
#pragma once

#include <cstdint>
#include <optional>

namespace weir::proxy_wasm {

enum class AbiVersion : uint8_t { V0_1_0, V0_2_0, V0_2_1 };

// What a host function answers. The Rust SDK panics on any that it does not expect of that function, so each is given
// exactly where Envoy gives it (docs/abi.md has the table).
enum class AbiStatus : int32_t {
  Ok = 0,
  NotFound = 1,
  BadArgument = 2,
  SerializationFailure = 3,
  ParseFailure = 4,
  BadExpression = 5,
  InvalidMemoryAccess = 6,
  Empty = 7,
  CasMismatch = 8,
  ResultMismatch = 9,
  InternalFailure = 10,
  BrokenConnection = 11,
  Unimplemented = 12,
};

enum class HeaderMapType : uint8_t {
  RequestHeaders,
  RequestTrailers,
  ResponseHeaders,
  ResponseTrailers,
  GrpcReceiveInitialMetadata,
  GrpcReceiveTrailingMetadata,
  HttpCallResponseHeaders,
  HttpCallResponseTrailers,
  kCount,
};

enum class BufferType : uint8_t {
  HttpRequestBody,
  HttpResponseBody,
  NetworkDownstreamData,
  NetworkUpstreamData,
  HttpCallResponseBody,
  GrpcReceiveBuffer,
  VmConfiguration,
  PluginConfiguration,
  CallData,
  RedisCallResponse,  // Higress'
  kCount,
};

enum class StreamType : uint8_t { Request, Response, Downstream, Upstream, kCount };

enum class MetricType : uint8_t { Counter, Gauge, Histogram, kCount };

// A guest's number as one of the values of Enum; nullopt if it is none.
template <typename Enum>
std::optional<Enum> checked(uint32_t value) {
  if (value >= static_cast<uint32_t>(Enum::kCount)) return std::nullopt;
  return static_cast<Enum>(value);
}

}  // namespace weir::proxy_wasm
