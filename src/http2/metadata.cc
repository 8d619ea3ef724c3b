#include "http2/metadata.h"

#include "base/check.h"

namespace weir::http2 {
namespace {

// nghttp2 takes pointers to bytes that it does not change.
uint8_t* bytesOf(std::string_view text) { return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data())); }

struct Inflater {
  Inflater() { CHECK(nghttp2_hd_inflate_new(&library) == 0); }
  ~Inflater() { nghttp2_hd_inflate_del(library); }
  nghttp2_hd_inflater* library = nullptr;
};

}  // namespace

MetadataVerdict decodeMetadata(std::string_view block, const http::Metadata::Held& held, uint64_t max_held,
                               http::Metadata& out) {
  out = http::Metadata(held);
  const Inflater inflater;
  while (true) {
    nghttp2_nv field{};
    int flags = 0;
    const ssize_t taken =
        nghttp2_hd_inflate_hd2(inflater.library, &field, &flags, bytesOf(block), block.size(), /*in_final=*/1);
    if (taken < 0) return MetadataVerdict::Malformed;
    block.remove_prefix(static_cast<size_t>(taken));
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      out.add({reinterpret_cast<const char*>(field.name), field.namelen},
              {reinterpret_cast<const char*>(field.value), field.valuelen});
      if (*held > max_held) return MetadataVerdict::TooMuch;
      continue;
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) return MetadataVerdict::Ok;
    if (block.empty()) return MetadataVerdict::Malformed;
  }
}

MetadataWriter::~MetadataWriter() {
  if (deflater_ != nullptr) nghttp2_hd_deflate_del(deflater_);
}

std::vector<std::string> MetadataWriter::payloads(const http::Metadata& metadata) {
  if (deflater_ == nullptr) CHECK(nghttp2_hd_deflate_new(&deflater_, NGHTTP2_DEFAULT_HEADER_TABLE_SIZE) == 0);
  std::vector<nghttp2_nv> fields;
  fields.reserve(metadata.size());
  for (const auto& [name, value] : metadata.fields()) {
    fields.push_back({bytesOf(name), bytesOf(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NO_INDEX});
  }
  std::string block(nghttp2_hd_deflate_bound(deflater_, fields.data(), fields.size()), '\0');
  const ssize_t size = nghttp2_hd_deflate_hd(deflater_, bytesOf(block), block.size(), fields.data(), fields.size());
  CHECK(size >= 0);
  block.resize(static_cast<size_t>(size));

  std::vector<std::string> out;
  for (size_t at = 0; at == 0 || at < block.size(); at += kMaxMetadataPayload) {
    out.push_back(block.substr(at, kMaxMetadataPayload));
  }
  return out;
}

}  // namespace weir::http2
