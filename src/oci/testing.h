// Archives for tests.
#pragma once

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace weir::oci {

inline std::string gzip(std::string_view bytes) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// One entry of a tar archive.
inline std::string tarEntry(std::string_view name, std::string_view content, char type = '0',
                            std::string_view prefix = "") {
  std::string header(512, '\0');
  const auto put = [&](size_t at, std::string_view text) {
    std::ranges::copy(text, header.begin() + static_cast<long>(at));
  };
  put(0, name);
  put(100, "0000644");
  put(124, fmt::format("{:011o}", content.size()));
  put(148, "        ");
  header[156] = type;
  put(257, std::string_view("ustar\00000", 8));
  put(345, prefix);
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum));
  header[154] = '\0';
  std::string entry = header.append(content);
  entry.resize((entry.size() + 511) / 512 * 512);
  return entry;
}

inline std::string tar(std::string_view name, std::string_view content) {
  return tarEntry(name, content) + std::string(1024, '\0');
}

}  // namespace weir::oci
