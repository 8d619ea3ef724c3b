// METADATA frames, Envoy's extension of HTTP/2: frames of type 0x4d whose payloads, up to the one with END_METADATA,
// are one block of HPACK's. As Envoy, each block begins with an empty table, so that one that is broken spoils no
// other, and neither side says in its SETTINGS that it takes them.
//
// They obey no window. What bounds them: max_metadata_size for what one stream may bring, kMaxHeldMetadata for what a
// connection's streams have brought and somebody still keeps, kMaxUnsentMetadata for what waits to be sent on one, and
// frame_meter.h for their number. A stream that goes beyond is reset, and no other suffers; Envoy, which has the first
// of these bounds alone, closes the connection.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/metadata.h"

namespace weir::http2 {

inline constexpr uint8_t kMetadataFrame = 0x4d;
inline constexpr uint8_t kEndMetadata = 0x4;
// Of a frame of ours: what every peer takes. RFC 9113 4.2.
inline constexpr size_t kMaxMetadataPayload = 16384;
// On one connection. The first allows for a stream whose limit is higher.
inline constexpr size_t kMaxHeldMetadata = size_t{4} << 20;
inline constexpr size_t kMaxUnsentMetadata = size_t{4} << 20;

enum class MetadataVerdict : uint8_t { Ok, Malformed, TooMuch };
// A whole block. TooMuch: held goes beyond max_held. Names and values of more than 64 KiB are malformed (the
// library's).
MetadataVerdict decodeMetadata(std::string_view block, const http::Metadata::Held& held, uint64_t max_held,
                               http::Metadata& out);

// Makes payloads: the last one gets END_METADATA. Nothing of theirs enters a table.
class MetadataWriter {
 public:
  MetadataWriter() = default;
  ~MetadataWriter();
  MetadataWriter(const MetadataWriter&) = delete;
  MetadataWriter& operator=(const MetadataWriter&) = delete;
  std::vector<std::string> payloads(const http::Metadata& metadata);

 private:
  nghttp2_hd_deflater* deflater_ = nullptr;  // Made when it is needed: few connections do.
};

}  // namespace weir::http2
