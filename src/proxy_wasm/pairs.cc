#include "proxy_wasm/pairs.h"

#include <cstring>

#include "base/check.h"
#include "proxy_wasm/little_endian.h"

namespace weir::proxy_wasm {
namespace {

// Writes the parts of the format one after the other.
class PairsWriter {
 public:
  PairsWriter(char* out, size_t count) : sizes_(out + 4), bytes_(out + 4 + count * 8) {
    storeU32(out, static_cast<uint32_t>(count));
  }
  void add(std::string_view name, std::string_view value) {
    storeU32(sizes_, static_cast<uint32_t>(name.size()));
    storeU32(sizes_ + 4, static_cast<uint32_t>(value.size()));
    sizes_ += 8;
    put(name);
    put(value);
  }
  const char* end() const { return bytes_; }

 private:
  void put(std::string_view text) {
    if (!text.empty()) std::memcpy(bytes_, text.data(), text.size());
    bytes_ += text.size();
    *bytes_++ = '\0';
  }
  char* sizes_;
  char* bytes_;
};

}  // namespace

size_t pairsSize(const http::HeaderMap& map) {
  if (map.empty()) return 0;
  return 4 + map.size() * 10 + map.bytes();
}

void writePairs(const http::HeaderMap& map, std::span<std::byte> out) {
  if (out.empty()) return;
  char* const begin = reinterpret_cast<char*>(out.data());
  PairsWriter writer(begin, map.size());
  for (const http::HeaderMap::Entry& entry : map) writer.add(entry.name, entry.value);
  CHECK(writer.end() == begin + out.size());
}

std::string toPairs(const PairViews& pairs) {
  if (pairs.empty()) return {};
  size_t size = 4 + pairs.size() * 10;
  for (const auto& [name, value] : pairs) size += name.size() + value.size();
  std::string out(size, '\0');
  PairsWriter writer(out.data(), pairs.size());
  for (const auto& [name, value] : pairs) writer.add(name, value);
  return out;
}

std::string toPropertyPairs(const PairViews& pairs) { return pairs.empty() ? std::string(4, '\0') : toPairs(pairs); }

std::optional<PairViews> parsePairs(std::string_view bytes) {
  if (bytes.empty()) return PairViews{};
  if (bytes.size() > kMaxPairsBytes || bytes.size() < 4) return std::nullopt;
  const uint32_t count = loadU32(bytes.data());
  if (count > kMaxPairs || bytes.size() - 4 < size_t{count} * 8) return std::nullopt;

  PairViews pairs;
  pairs.reserve(count);
  std::string_view sizes = bytes.substr(4, size_t{count} * 8);
  std::string_view rest = bytes.substr(4 + sizes.size());
  const auto take = [&rest](uint32_t size) -> std::optional<std::string_view> {
    if (rest.size() <= size || rest[size] != '\0') return std::nullopt;
    const std::string_view taken = rest.substr(0, size);
    rest.remove_prefix(size_t{size} + 1);
    return taken;
  };
  for (; !sizes.empty(); sizes.remove_prefix(8)) {
    const auto name = take(loadU32(sizes.data()));
    if (!name) return std::nullopt;
    const auto value = take(loadU32(sizes.data() + 4));
    if (!value) return std::nullopt;
    pairs.emplace_back(*name, *value);
  }
  if (!rest.empty()) return std::nullopt;
  return pairs;
}

}  // namespace weir::proxy_wasm
