// The head of a request: RFC 9112 3.
#pragma once

#include <optional>
#include <string_view>

#include "http/header_map.h"
#include "http1/codec.h"
#include "http1/framing.h"

namespace weir::http1 {

struct RequestLine {
  std::string_view method;
  std::string_view target;
  int version_minor = 1;
};

// line: without its end. RFC 9112 3: exactly one space between exactly three parts.
std::optional<Fault> parseRequestLine(std::string_view line, const ServerSettings& settings, RequestLine& out);

struct RequestHead {
  int version_minor = 1;
  bool is_head = false;
  bool is_connect = false;
  bool switches = false;  // Asks for another protocol on this connection: an upgrade, or a CONNECT.
  Framing framing;
};

// head: as HeadReader gives it. Fills out, which must be empty, with pseudo headers first.
std::optional<Fault> parseRequestHead(std::string_view head, const ServerSettings& settings, http::HeaderMap& out,
                                      RequestHead& info);

}  // namespace weir::http1
