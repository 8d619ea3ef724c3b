// Reads protobuf's wire format field by field, for the few messages that are kept serialized (Node, Metadata), because
// the protobuf library stops in `config`. Trusts nothing: bad bytes end the reading.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::base {

struct WireField {
  enum class Kind : uint8_t { Varint, Fixed64, Bytes, Fixed32 };
  uint32_t number = 0;
  Kind kind = Kind::Varint;
  uint64_t value = 0;      // Of a number.
  std::string_view bytes;  // Of a string, bytes or message: a view of what is read.
};

class WireReader {
 public:
  explicit WireReader(std::string_view message) : rest_(message) {}
  // The next field; nullopt at the end, or where the bytes stop making sense (groups are not understood).
  std::optional<WireField> next();
  bool malformed() const { return malformed_; }

 private:
  std::optional<uint64_t> varint();
  std::optional<WireField> fail();
  std::string_view rest_;
  bool malformed_ = false;
};

// Writes a number as the format has it; a field's tag is one, too: its number << 3 | its wire type.
void putVarint(uint64_t value, std::string& out);
// Writes a field: a string, bytes or message; a number, also zero (which proto3 leaves out).
void putField(uint32_t number, std::string_view bytes, std::string& out);
void putField(uint32_t number, uint64_t value, std::string& out);

// The last field of that number and kind, as protobuf takes it; nullopt if absent.
std::optional<WireField> lastField(std::string_view message, uint32_t number, WireField::Kind kind);
// The value of a key of a map<string, message or string> field; the last one wins.
std::optional<std::string_view> mapEntry(std::string_view message, uint32_t field, std::string_view key);

// google.protobuf.Value: its members, and the one that is set (the last one there, as protobuf takes a oneof).
enum ValueField : uint32_t { kNullValue = 1, kNumberValue, kStringValue, kBoolValue, kStructValue, kListValue };
std::optional<WireField> chosenValue(std::string_view value);

}  // namespace weir::base
