// Normal forms are stable, and taking apart loses nothing.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "http/path.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir::http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  const PathAndQuery parts = splitPath(text);
  CHECK(parts.path.size() + parts.query.size() + (parts.has_query ? 1 : 0) == size);

  if (const auto normal = normalizePath(text)) {
    const std::string_view path = splitPath(*normal).path;
    CHECK(path.front() == '/');
    CHECK(path.find("/../") == std::string_view::npos && !path.ends_with("/.."));
    CHECK(path.find("/./") == std::string_view::npos && !path.ends_with("/."));
    CHECK(path.find('\\') == std::string_view::npos && path.find('#') == std::string_view::npos);
    CHECK(normalizePath(mergeSlashes(*normal)) == mergeSlashes(*normal));
  }
  CHECK(mergeSlashes(mergeSlashes(text)) == mergeSlashes(text));
  if (!hasEscapedSlashes(text)) CHECK(unescapeSlashes(text) == text);

  if (const auto authority = parseAuthority(text)) {
    CHECK(!authority->host.empty() && text.starts_with(authority->host));
    CHECK(stripPort(text) == authority->host);
  }
  return 0;
}
