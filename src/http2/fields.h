// Header maps from the fields that a header block brings, and back.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/header_map.h"
#include "http2/settings.h"

namespace weir::http2 {

// Collects one block. nghttp2 has looked at each field: names and values are valid, pseudo headers in their place.
class FieldReader {
 public:
  enum class Kind : uint8_t { Request, Response, Trailers };
  enum class Verdict : uint8_t { Ok, TooMany, TooLarge };

  void begin(Kind kind);
  Verdict add(std::string_view name, std::string_view value, const Settings& settings);
  // What was collected, the parts of a cookie in one.
  http::HeaderMap take();
  // What the map that was taken holds of memory.
  size_t kept() const { return kept_; }

 private:
  Kind kind_ = Kind::Request;
  http::HeaderMap fields_;
  std::string_view host_;
  std::string cookie_;
  size_t count_ = 0;
  size_t bytes_ = 0;
  size_t kept_ = 0;
  bool has_host_ = false;
  bool has_cookie_ = false;
};

// Header maps as nghttp2 takes them. The list points into the map, and is valid until the next call.
class FieldWriter {
 public:
  using List = std::vector<nghttp2_nv>;

  // A request of ours; empty if it has no valid method, path or authority, or is a CONNECT that is not meant. tunnels:
  // an upgrade or a CONNECT is meant.
  const List& request(const http::HeaderMap& headers, bool end_stream, bool tunnels);
  // A response; without_body: ends with its headers, or is one to HEAD (whose content-length stays).
  const List& response(const http::HeaderMap& headers, bool end_stream, bool to_head);
  const List& trailers(const http::HeaderMap& trailers);

 private:
  enum class Length : uint8_t { Keep, OnlyZero };
  void put(std::string_view name, std::string_view value);
  void putFields(const http::HeaderMap& headers, Length length, bool of_request);

  List list_;
};

// RFC 8441 and RFC 9110 7.8: "CONNECT" with ":protocol" as a "GET" that asks for an upgrade, as filters and routes know
// it; false if the request is no extended CONNECT.
bool upgradeFromConnect(http::HeaderMap& request);
// And the reverse.
bool asksForUpgrade(const http::HeaderMap& request);

}  // namespace weir::http2
