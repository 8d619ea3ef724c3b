#include "oci/archive.h"

#include <fmt/format.h>
#include <zlib.h>

#include <cstdint>
#include <optional>

#include "oci/manifest.h"

namespace weir::oci {
namespace {

constexpr std::string_view kPlugin = "plugin.wasm";
constexpr std::string_view kWasmMagic("\0asm", 4);
constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstandardMagic = "\x28\xb5\x2f\xfd";
constexpr size_t kBlock = 512;

base::Error malformed(std::string what) {
  return {base::Code::Malformed, base::Side::Upstream, base::Retry::No, std::move(what)};
}

// A field of a tar header: octal digits, ended by a blank or NUL; or, with the first bit set, binary (GNU).
std::optional<uint64_t> numberIn(std::string_view field) {
  uint64_t number = 0;
  if (!field.empty() && (static_cast<uint8_t>(field[0]) & 0x80) != 0) {
    if (static_cast<uint8_t>(field[0]) != 0x80) return std::nullopt;  // Negative, or beyond all reason.
    for (const char c : field.substr(1)) {
      if (number >> 55 != 0) return std::nullopt;
      number = number << 8 | static_cast<uint8_t>(c);
    }
    return number;
  }
  const size_t begin = field.find_first_not_of(' ');
  field.remove_prefix(begin == field.npos ? field.size() : begin);
  const size_t digits = std::min(field.find_first_not_of("01234567"), field.size());
  if (digits == 0 || field.find_first_not_of(std::string_view(" \0", 2), digits) != field.npos) return std::nullopt;
  for (const char c : field.substr(0, digits)) number = number << 3 | static_cast<uint64_t>(c - '0');
  return number;
}

// Of all bytes of the header, with its own field taken for blanks.
bool checksumHolds(std::string_view header) {
  constexpr size_t kAt = 148, kSize = 8;
  uint64_t sum = 0;
  for (size_t i = 0; i < header.size(); ++i) {
    sum += i >= kAt && i < kAt + kSize ? uint8_t{' '} : static_cast<uint8_t>(header[i]);
  }
  return numberIn(header.substr(kAt, kSize)) == sum;
}

std::string_view textIn(std::string_view field) { return field.substr(0, field.find('\0')); }

bool isRootFile(std::string_view header, std::string_view name) {
  const char type = header[156];
  if (type != '0' && type != '\0' && type != '7') return false;
  const bool ustar = header.substr(257, 5) == "ustar" && header[262] == '\0';  // GNU's has other things in its place.
  if (ustar && !textIn(header.substr(345, 155)).empty()) return false;         // In a folder.
  std::string_view path = textIn(header.substr(0, 100));
  if (path.starts_with("./")) path.remove_prefix(2);
  if (path.starts_with('/')) path.remove_prefix(1);
  return path == name;
}

base::Result<std::string> inflateAll(z_stream& stream, size_t most) {
  constexpr size_t kStep = 64 * 1024;
  std::string out;
  while (true) {
    const size_t before = out.size();
    out.resize(before + kStep);
    stream.next_out = reinterpret_cast<Bytef*>(out.data()) + before;
    stream.avail_out = kStep;
    const int state = inflate(&stream, Z_NO_FLUSH);
    out.resize(before + kStep - stream.avail_out);
    if (out.size() > most) {
      return base::Error{base::Code::TooLarge, base::Side::Upstream, base::Retry::No,
                         fmt::format("the layer unpacks to more than {} bytes", most)};
    }
    if (state == Z_STREAM_END && stream.avail_in == 0) return out;
    const bool goes_on = state == Z_STREAM_END ? inflateReset(&stream) == Z_OK : state == Z_OK;
    if (!goes_on) return malformed(state == Z_BUF_ERROR ? "the layer's gzip is cut short" : "the layer is no gzip");
  }
}

base::Result<std::string> pluginIn(std::string_view archive) {
  const auto file = fileInTar(archive, kPlugin);
  if (!file.ok()) return file.error();
  return std::string(*file);
}

}  // namespace

base::Result<std::string> gunzip(std::string_view bytes, size_t most) {
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  z_stream stream{};
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) return malformed("no memory to unpack the layer");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(std::min<size_t>(bytes.size(), kMaxLayerBytes));
  auto out = inflateAll(stream, most);
  inflateEnd(&stream);
  return out;
}

base::Result<std::string_view> fileInTar(std::string_view archive, std::string_view name) {
  while (archive.size() >= kBlock) {
    const std::string_view header = archive.substr(0, kBlock);
    if (header.find_first_not_of('\0') == header.npos) break;  // The end, as the archive says it.
    const auto size = numberIn(header.substr(124, 12));
    if (!size || !checksumHolds(header)) return malformed("the layer is no tar archive");
    archive.remove_prefix(kBlock);
    if (*size > archive.size()) return malformed("the layer's tar archive is cut short");
    if (isRootFile(header, name)) return archive.substr(0, *size);
    const size_t padded = (*size + kBlock - 1) / kBlock * kBlock;
    archive.remove_prefix(std::min(padded, archive.size()));
  }
  return malformed(fmt::format("the layer's archive has no {} at its root", name));
}

base::Result<std::string> moduleIn(std::string_view media_type, std::string layer) {
  if (isWasmType(media_type) || layer.starts_with(kWasmMagic)) return layer;
  if (layer.starts_with(kZstandardMagic)) return malformed("the layer is compressed by zstd: push it with gzip");
  if (layer.starts_with(kGzipMagic)) {
    const auto archive = gunzip(layer, kMaxUnpackedBytes);
    if (!archive.ok()) return archive.error();
    return archive->starts_with(kWasmMagic) ? *archive : pluginIn(*archive);
  }
  if (isArchiveType(media_type)) return pluginIn(layer);
  return malformed(fmt::format("the layer, of type '{}', is neither a module nor an archive", media_type));
}

}  // namespace weir::oci
