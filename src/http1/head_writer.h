// Writes heads: start lines and fields, straight into the memory of a buffer.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/buffer.h"
#include "http/header_map.h"

namespace weir::http1 {

enum class FieldsIn : uint8_t { Request, Response, Informational, Trailers };

class HeadWriter {
 public:
  // expected: about how many bytes will be put; no more than a wish.
  // proper_case: "content-type" is written as "Content-Type".
  HeadWriter(base::BufferChain& out, size_t expected, bool proper_case = false);
  ~HeadWriter() { commit(); }
  HeadWriter(const HeadWriter&) = delete;
  HeadWriter& operator=(const HeadWriter&) = delete;

  void put(std::string_view bytes) {
    if (static_cast<size_t>(end_ - at_) < bytes.size()) return putSlowly(bytes);
    at_ += bytes.copy(at_, bytes.size());  // Which takes an empty view that points nowhere, too.
  }
  void putNumber(uint64_t number);
  // "name: value" CRLF
  void putField(std::string_view name, std::string_view value);
  // The "connection" fields of a message that asks for another protocol, or takes it.
  void putUpgrade(const http::HeaderMap& headers);
  // All fields that may be written: no pseudo headers (but ":authority" as "host" in a request), no framing (but
  // content-length if keep_length), and nothing that is not valid on the wire.
  void putFields(const http::HeaderMap& headers, FieldsIn where, bool keep_length = false);
  // Bytes of the field lines put so far.
  uint64_t fieldBytes() const { return field_bytes_; }

 private:
  void commit();
  void putSlowly(std::string_view bytes);
  void putFieldSlowly(std::string_view name, std::string_view value);
  void putProperCase(std::string_view name);

  base::BufferChain& out_;
  char* begin_;
  char* at_;
  char* end_;
  uint64_t field_bytes_ = 0;
  const bool proper_case_;
};

// The content-length that a map announces: exactly one, and a number; else nullopt.
std::optional<uint64_t> announcedLength(const http::HeaderMap& headers);

// Whether the layer above asks, by "connection: close", that the connection ends with this message.
bool wantsClose(const http::HeaderMap& headers);

}  // namespace weir::http1
