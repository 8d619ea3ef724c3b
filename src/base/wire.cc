#include "base/wire.h"

#include <bit>
#include <cstring>

namespace weir::base {
namespace {

static_assert(std::endian::native == std::endian::little);

template <typename T>
T load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

}  // namespace

std::optional<WireField> WireReader::next() {
  if (rest_.empty()) return std::nullopt;
  const auto tag = varint();
  if (!tag || *tag >> 3 == 0 || *tag >> 3 > 0x1fffffff) return fail();
  WireField field;
  field.number = static_cast<uint32_t>(*tag >> 3);
  switch (*tag & 7) {
    case 0: {
      const auto value = varint();
      if (!value) return fail();
      field.value = *value;
      return field;
    }
    case 1:
      if (rest_.size() < 8) return fail();
      field.kind = WireField::Kind::Fixed64;
      field.value = load<uint64_t>(rest_.data());
      rest_.remove_prefix(8);
      return field;
    case 2: {
      const auto size = varint();
      if (!size || *size > rest_.size()) return fail();
      field.kind = WireField::Kind::Bytes;
      field.bytes = rest_.substr(0, *size);
      rest_.remove_prefix(*size);
      return field;
    }
    case 5:
      if (rest_.size() < 4) return fail();
      field.kind = WireField::Kind::Fixed32;
      field.value = load<uint32_t>(rest_.data());
      rest_.remove_prefix(4);
      return field;
    default: return fail();
  }
}

std::optional<uint64_t> WireReader::varint() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) return std::nullopt;
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

std::optional<WireField> WireReader::fail() {
  malformed_ = true;
  rest_ = {};
  return std::nullopt;
}

void putVarint(uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void putField(uint32_t number, std::string_view bytes, std::string& out) {
  putVarint(number << 3 | 2, out);
  putVarint(bytes.size(), out);
  out += bytes;
}

void putField(uint32_t number, uint64_t value, std::string& out) {
  putVarint(number << 3, out);
  putVarint(value, out);
}

std::optional<WireField> lastField(std::string_view message, uint32_t number, WireField::Kind kind) {
  std::optional<WireField> found;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == number && field->kind == kind) found = field;
  }
  return found;
}

std::optional<std::string_view> mapEntry(std::string_view message, uint32_t field, std::string_view key) {
  std::optional<std::string_view> found;
  WireReader reader(message);
  while (const auto entry = reader.next()) {
    if (entry->number != field || entry->kind != WireField::Kind::Bytes) continue;
    const auto name = lastField(entry->bytes, 1, WireField::Kind::Bytes);
    if ((name ? name->bytes : std::string_view()) != key) continue;
    const auto value = lastField(entry->bytes, 2, WireField::Kind::Bytes);
    found = value ? value->bytes : std::string_view();
  }
  return found;
}

std::optional<WireField> chosenValue(std::string_view value) {
  std::optional<WireField> found;
  WireReader reader(value);
  while (const auto field = reader.next()) {
    if (field->number >= kNullValue && field->number <= kListValue) found = field;
  }
  return found;
}

}  // namespace weir::base
