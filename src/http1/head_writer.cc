#include "http1/head_writer.h"

#include <algorithm>
#include <charconv>

#include "http/characters.h"
#include "http1/framing.h"

namespace weir::http1 {
namespace {

using http::HeaderId;

enum class Writable : uint8_t { Yes, No, IfLengthKept };

// Framing and persistence are the codec's own. Host of a request comes from ":authority" alone.
Writable ownership(HeaderId id, FieldsIn where) {
  switch (id) {
    case HeaderId::Connection:
    case HeaderId::KeepAlive:
    case HeaderId::ProxyConnection:
    case HeaderId::TransferEncoding: return Writable::No;
    case HeaderId::ContentLength: return Writable::IfLengthKept;
    case HeaderId::Host: return where == FieldsIn::Request ? Writable::No : Writable::Yes;
    default: return Writable::Yes;
  }
}

}  // namespace

HeadWriter::HeadWriter(base::BufferChain& out, size_t expected, bool proper_case)
    : out_(out), proper_case_(proper_case) {
  const std::span<char> room = out.reserve(std::max<size_t>(expected, 64));
  begin_ = at_ = room.data();
  end_ = begin_ + room.size();
}

void HeadWriter::commit() { out_.commit(static_cast<size_t>(at_ - begin_)); }

void HeadWriter::putSlowly(std::string_view bytes) {
  commit();
  out_.append(bytes);
  const std::span<char> room = out_.reserve(64);
  begin_ = at_ = room.data();
  end_ = begin_ + room.size();
}

void HeadWriter::putNumber(uint64_t number) {
  char digits[20];
  const char* end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  put({digits, static_cast<size_t>(end - digits)});
}

void HeadWriter::putProperCase(std::string_view name) {
  const auto isLetter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  bool begins = true;
  for (char c : name) {
    const bool part_of_word = isLetter(c) || (c >= '0' && c <= '9');
    if (begins && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    put({&c, 1});
    begins = !part_of_word;
  }
}

// Four pieces with one look at the room.
void HeadWriter::putField(std::string_view name, std::string_view value) {
  const size_t size = name.size() + value.size() + 4;
  if (proper_case_ || static_cast<size_t>(end_ - at_) < size) return putFieldSlowly(name, value);
  at_ += name.copy(at_, name.size());
  at_[0] = ':';
  at_[1] = ' ';
  at_ += 2;
  at_ += value.copy(at_, value.size());
  at_[0] = '\r';
  at_[1] = '\n';
  at_ += 2;
  field_bytes_ += size;
}

void HeadWriter::putFieldSlowly(std::string_view name, std::string_view value) {
  proper_case_ ? putProperCase(name) : put(name);
  put(": ");
  put(value);
  put("\r\n");
  field_bytes_ += name.size() + value.size() + 4;
}

void HeadWriter::putFields(const http::HeaderMap& headers, FieldsIn where, bool keep_length) {
  for (const auto& entry : headers) {
    if (http::isPseudo(entry.name)) {
      if (where == FieldsIn::Request && entry.id == HeaderId::Authority) putField("host", entry.value);
      continue;
    }
    const Writable writable = ownership(entry.id, where);
    if (writable == Writable::No || (writable == Writable::IfLengthKept && !keep_length)) continue;
    // Blanks at the ends are no part of a value: whoever set them gets the header nevertheless.
    const std::string_view value = entry.checked ? entry.value : http::trimBlanks(entry.value);
    if (http::validOnWire(entry, value)) putField(entry.name, value);
  }
}

void HeadWriter::putUpgrade(const http::HeaderMap& headers) {
  for (const auto& entry : headers) {
    if (entry.id == HeaderId::Connection && http::validOnWire(entry, entry.value)) putField(entry.name, entry.value);
  }
}

std::optional<uint64_t> announcedLength(const http::HeaderMap& headers) {
  if (!headers.has(HeaderId::ContentLength)) return std::nullopt;
  std::optional<uint64_t> length;
  for (const auto& entry : headers) {
    if (entry.id != HeaderId::ContentLength) continue;
    if (length) return std::nullopt;
    length = parseLength(entry.value);
    if (!length) return std::nullopt;
  }
  return length;
}

bool wantsClose(const http::HeaderMap& headers) {
  if (!headers.has(HeaderId::Connection)) return false;
  bool close = false;
  for (const auto& entry : headers) {
    if (entry.id != HeaderId::Connection) continue;
    forEachToken(entry.value, [&close](std::string_view token) { close |= http::equalsIgnoreCase(token, "close"); });
  }
  return close;
}

}  // namespace weir::http1
