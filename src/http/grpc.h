// What HTTP has to know of gRPC: who speaks it, and what a status of HTTP's means to it.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "http/header_map.h"

namespace weir::http {

// content-type says gRPC ("application/grpc" or "application/grpc+...").
bool isGrpc(const HeaderMap& request);

// By gRPC's "HTTP to gRPC Status Code Mapping".
int grpcStatusFor(int http_status);

// grpc-status among headers or trailers; -1 if it is no number, as Envoy tells it. nullopt: there is none.
std::optional<int64_t> grpcStatusOf(const HeaderMap& fields);

// grpc-timeout in the finest unit, from milliseconds up, that its eight digits have room for. Not negative.
std::string grpcTimeout(base::Duration timeout);

}  // namespace weir::http
