#include "http/path.h"

#include <algorithm>
#include <array>

#include "http/characters.h"

namespace weir::http {
namespace {

enum class InPath : uint8_t {
  Pass,    // Stays, and stays escaped where it was.
  Plain,   // RFC 3986 2.3 unreserved: also decoded where it was escaped.
  Escape,  // May not stand in a path.
};

// What the WHATWG URL parser that Envoy normalises with does to each byte.
constexpr std::array<InPath, 256> pathTable() {
  std::array<InPath, 256> table{};
  for (int c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    const bool outside = c <= 0x20 || c >= 0x7f;
    const bool plain = letter || c == '-' || c == '.' || c == '_' || c == '~';
    const bool escape = outside || std::string_view("\"#<>?^`{|}").find(static_cast<char>(c)) != std::string_view::npos;
    table[c] = plain ? InPath::Plain : escape ? InPath::Escape : InPath::Pass;
  }
  return table;
}
constexpr std::array<InPath, 256> kInPath = pathTable();

void putEscaped(std::string& out, unsigned char byte) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
}

// The byte of an escape at the start of text, or -1.
int escapedByte(std::string_view text) {
  if (text.size() < 3 || text[0] != '%') return -1;
  const int high = hexValue(text[1]);
  const int low = hexValue(text[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// Whether one or two more digits would make an escape of the end of out: what is decoded there stays escaped, lest
// "%2%65" become "%2e" and hide a dot from us.
bool endsInHalfEscape(std::string_view out) {
  return out.ends_with('%') || (out.size() >= 2 && out[out.size() - 2] == '%');
}

// Every byte in its one form; false for a NUL.
bool putCanonicalBytes(std::string_view path, std::string& out) {
  for (size_t i = 0; i < path.size(); ++i) {
    const int escaped = escapedByte(path.substr(i));
    if (escaped == 0 || path[i] == '\0') return false;
    if (escaped > 0) {
      if (kInPath[escaped] == InPath::Plain && !endsInHalfEscape(out)) {
        out += static_cast<char>(escaped);
      } else {
        out += path.substr(i, 3);
      }
      i += 2;
    } else if (path[i] == '\\') {
      out += '/';
    } else if (kInPath[static_cast<unsigned char>(path[i])] == InPath::Escape) {
      putEscaped(out, static_cast<unsigned char>(path[i]));
    } else {
      out += path[i];
    }
  }
  return true;
}

// RFC 3986 5.2.4, in place. path begins with a slash.
void removeDotSegments(std::string& path) {
  size_t out = 0;  // What is resolved so far is [0, out), without the slash of the segment at hand.
  size_t in = 0;
  while (in < path.size()) {
    const size_t slash = std::min(path.find('/', in + 1), path.size());
    const std::string_view segment = std::string_view(path).substr(in + 1, slash - in - 1);
    const bool last = slash == path.size();
    if (segment == "." || segment == "..") {
      if (segment == "..") out = out == 0 ? 0 : path.rfind('/', out - 1);
      if (last) path[out++] = '/';  // A directory keeps its slash.
    } else {
      std::copy(path.begin() + static_cast<ptrdiff_t>(in), path.begin() + static_cast<ptrdiff_t>(slash),
                path.begin() + static_cast<ptrdiff_t>(out));
      out += slash - in;
    }
    in = slash;
  }
  path.resize(out);
}

std::optional<uint16_t> parsePort(std::string_view text) {
  if (text.empty() || text.size() > 5) return std::nullopt;
  uint32_t port = 0;
  for (const char c : text) {
    if (!isDigit(c)) return std::nullopt;
    port = port * 10 + static_cast<uint32_t>(c - '0');
  }
  if (port > 65535) return std::nullopt;
  return static_cast<uint16_t>(port);
}

// RFC 3986 3.2.2: reg-name and IPv4 addresses; escapes are left to whoever resolves the name.
constexpr std::array<bool, 256> hostTable() {
  std::array<bool, 256> table{};
  for (int c = 0x21; c < 0x7f; ++c) {
    table[c] = std::string_view("\"#,/:<>?@[\\]^`{|}").find(static_cast<char>(c)) == std::string_view::npos;
  }
  return table;
}
constexpr std::array<bool, 256> kInHost = hostTable();

bool isHostByte(char c) { return kInHost[static_cast<unsigned char>(c)]; }

bool isAddressByte(char c) { return hexValue(c) >= 0 || c == ':' || c == '.' || c == '%'; }

// Where the host ends: behind the closing bracket or at the first colon. npos if the host is bad.
size_t hostEnd(std::string_view authority) {
  if (authority.front() == '[') {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos || close < 3) return std::string_view::npos;
    const bool good =
        std::all_of(authority.begin() + 1, authority.begin() + static_cast<ptrdiff_t>(close), isAddressByte);
    return good ? close + 1 : std::string_view::npos;
  }
  const size_t end = std::min(authority.find(':'), authority.size());
  const bool good =
      end > 0 && std::all_of(authority.begin(), authority.begin() + static_cast<ptrdiff_t>(end), isHostByte);
  return good ? end : std::string_view::npos;
}

}  // namespace

PathAndQuery splitPath(std::string_view target) {
  const size_t mark = target.find('?');
  if (mark == std::string_view::npos) return {target, {}, false};
  return {target.substr(0, mark), target.substr(mark + 1), true};
}

std::optional<std::string> normalizePath(std::string_view target) {
  const size_t path_size = splitPath(target).path.size();
  if (path_size == 0 || (target[0] != '/' && target[0] != '\\')) return std::nullopt;
  std::string out;
  out.reserve(target.size() + 16);
  if (!putCanonicalBytes(target.substr(0, path_size), out)) return std::nullopt;
  removeDotSegments(out);
  out += target.substr(path_size);
  return out;
}

std::string mergeSlashes(std::string_view target) {
  const size_t path_size = splitPath(target).path.size();
  std::string out;
  out.reserve(target.size());
  for (size_t i = 0; i < path_size; ++i) {
    if (target[i] != '/' || out.empty() || out.back() != '/') out += target[i];
  }
  out += target.substr(path_size);
  return out;
}

bool hasEscapedSlashes(std::string_view target) {
  const std::string_view path = splitPath(target).path;
  for (size_t at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1)) {
    const int byte = escapedByte(path.substr(at));
    if (byte == '/' || byte == '\\') return true;
  }
  return false;
}

std::string unescapeSlashes(std::string_view target) {
  const size_t path_size = splitPath(target).path.size();
  std::string out;
  out.reserve(target.size());
  for (size_t i = 0; i < path_size; ++i) {
    const int byte = escapedByte(target.substr(i, path_size - i));
    if (byte == '/' || byte == '\\') {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += target[i];
    }
  }
  out += target.substr(path_size);
  return out;
}

std::optional<Authority> parseAuthority(std::string_view authority) {
  if (authority.empty()) return std::nullopt;
  const size_t end = hostEnd(authority);
  if (end == std::string_view::npos) return std::nullopt;
  if (end == authority.size()) return Authority{authority, std::nullopt};
  if (authority[end] != ':') return std::nullopt;
  if (end + 1 == authority.size()) return Authority{authority.substr(0, end), std::nullopt};
  const std::optional<uint16_t> port = parsePort(authority.substr(end + 1));
  if (!port) return std::nullopt;
  return Authority{authority.substr(0, end), port};
}

std::string_view stripPort(std::string_view authority) {
  const std::optional<Authority> parsed = parseAuthority(authority);
  return parsed ? parsed->host : authority;
}

std::string_view stripMatchingPort(std::string_view authority, uint16_t port) {
  const std::optional<Authority> parsed = parseAuthority(authority);
  return parsed && parsed->port == port ? parsed->host : authority;
}

}  // namespace weir::http
