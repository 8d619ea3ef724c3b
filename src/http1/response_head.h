// The head of a response: RFC 9112 4.
#pragma once

#include <optional>
#include <string_view>

#include "http/header_map.h"
#include "http1/codec.h"
#include "http1/framing.h"

namespace weir::http1 {

struct ResponseHead {
  int version_minor = 1;
  int status = 0;
  Framing framing;
};

// head: as HeadReader gives it. Fills out, which must be empty, with ":status" first. Fault::status says nothing here.
std::optional<Fault> parseResponseHead(std::string_view head, const Limits& limits, http::HeaderMap& out,
                                       ResponseHead& info);

}  // namespace weir::http1
