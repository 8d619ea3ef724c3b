#include "wasm/line_table.h"

#include <algorithm>
#include <array>

namespace weir::wasm {
namespace {

constexpr size_t kMostTables = 256 * 1024;  // Of one unit. Thousands of files have room.

// ---- Names (DWARF 5, 6.2.4.1; before it, three kinds of entries that end with an empty one)

std::string joined(std::string_view folder, std::string_view name) {
  if (folder.empty() || name.starts_with('/')) return std::string(name);
  return std::string(folder) + "/" + std::string(name);
}

std::string oldName(const LineUnit& unit, uint32_t wanted) {
  const auto folder = [&](uint32_t number) {
    ByteReader tables(unit.tables);
    std::string_view name;
    for (uint32_t i = 0; i < number; ++i) {
      name = tables.zeroEnded();
      if (name.empty()) return std::string_view();
    }
    return name;  // 0: where the compiler ran, which is not in here.
  };
  ByteReader tables(unit.tables);
  while (!tables.zeroEnded().empty()) {
  }
  for (uint32_t i = 1; !tables.failed(); ++i) {
    const std::string_view name = tables.zeroEnded();
    if (name.empty()) return {};
    const uint32_t at = tables.number();
    tables.number();  // Time,
    tables.number();  // and size.
    if (i == wanted && !tables.failed()) return joined(folder(at), name);
  }
  return {};
}

// A list of entries: each has the same fields, which its head names.
class Entries {
 public:
  struct Entry {
    std::string_view path;
    uint32_t folder = 0;
  };
  Entries(ByteReader& reader, const LineUnit& unit, std::span<const std::byte> strings)
      : reader_(reader), unit_(unit), strings_(strings), fields_(reader.byte()) {
    if (fields_ > kMostFields) fields_ = 0;
    for (size_t i = 0; i < fields_; ++i) forms_[i] = {reader.number(), reader.number()};
    count_ = fields_ == 0 ? 0 : reader.number();
  }
  // Goes over all of them.
  Entry find(uint32_t wanted) {
    Entry found;
    for (uint32_t i = 0; i < count_ && !reader_.failed(); ++i) {
      const Entry entry = next(i == wanted);
      if (i == wanted) found = entry;
    }
    return reader_.failed() ? Entry() : found;
  }

 private:
  enum Content : uint32_t { kPath = 1, kFolder = 2 };
  static constexpr size_t kMostFields = 8;
  struct Form {
    uint32_t content = 0;
    uint32_t form = 0;
  };

  // Each has a byte at least. Strings are looked up only for the one that is wanted.
  Entry next(bool wanted) {
    Entry entry;
    for (size_t i = 0; i < fields_; ++i) {
      std::string_view text;
      const uint64_t value = read(forms_[i].form, wanted, text);
      if (forms_[i].content == kPath) entry.path = text;
      if (forms_[i].content == kFolder) entry.folder = static_cast<uint32_t>(value);
    }
    return entry;
  }

  // DWARF 5, 7.5.6. A form that is none of these makes the reader fail.
  uint64_t read(uint32_t form, bool wanted, std::string_view& text) {
    switch (form) {
      case 0x08: text = reader_.zeroEnded(); return 0;       // string
      case 0x0e: reader_.take(unit_.offset_size); return 0;  // strp: of a section that is not kept
      case 0x1f: {                                           // line_strp
        const uint64_t at = reader_.fixed(unit_.offset_size);
        if (wanted) text = kept(at);
        return 0;
      }
      case 0x0b: return reader_.byte();                     // data1
      case 0x05: return reader_.fixed(2);                   // data2
      case 0x06: return reader_.fixed(4);                   // data4
      case 0x07: return reader_.fixed(8);                   // data8
      case 0x1e: reader_.take(16); return 0;                // data16
      case 0x0f: return reader_.number();                   // udata
      case 0x09: reader_.take(reader_.number()); return 0;  // block
      default: reader_.take(uint64_t{reader_.rest().size()} + 1); return 0;
    }
  }
  std::string_view kept(uint64_t at) const {
    if (at >= strings_.size()) return {};
    constexpr size_t kLongest = 4096;
    ByteReader strings(strings_.subspan(at, std::min(kLongest, strings_.size() - at)));
    return strings.zeroEnded();
  }

  ByteReader& reader_;
  const LineUnit& unit_;
  const std::span<const std::byte> strings_;
  size_t fields_;
  std::array<Form, kMostFields> forms_{};
  uint32_t count_ = 0;
};

std::string newName(const LineUnit& unit, uint32_t wanted, std::span<const std::byte> strings) {
  ByteReader folders(unit.tables);
  Entries(folders, unit, strings).find(UINT32_MAX);
  const Entries::Entry file = Entries(folders, unit, strings).find(wanted);
  if (file.path.empty()) return {};
  ByteReader again(unit.tables);
  return joined(Entries(again, unit, strings).find(file.folder).path, file.path);
}

}  // namespace

std::optional<LineUnit> LineUnit::read(ByteReader& section) {
  LineUnit unit;
  uint64_t length = section.fixed(4);
  if (length == 0xffffffff) {
    unit.offset_size = 8;
    length = section.fixed(8);
  }
  ByteReader reader(section.take(length));
  unit.version = static_cast<uint16_t>(reader.fixed(2));
  if (unit.version < 2 || unit.version > 5) return std::nullopt;
  if (unit.version == 5) reader.take(2);  // Sizes of addresses and of segments' selectors.
  ByteReader header(reader.take(reader.fixed(unit.offset_size)));
  unit.address_step = header.byte();
  if (unit.version >= 4) header.byte();  // Operations in one instruction: of other machines.
  header.byte();                         // Whether rows are recommended places for breakpoints.
  unit.line_base = static_cast<int8_t>(header.byte());
  unit.line_range = header.byte();
  unit.first_special = header.byte();
  if (unit.line_range == 0 || unit.first_special == 0) return std::nullopt;
  unit.lengths = header.take(unit.first_special - 1);
  unit.tables = header.rest().first(std::min(header.rest().size(), kMostTables));
  unit.program = reader.rest();
  if (reader.failed() || header.failed()) return std::nullopt;
  return unit;
}

std::string LineUnit::fileName(uint32_t number, std::span<const std::byte> strings) const {
  return version < 5 ? oldName(*this, number) : newName(*this, number, strings);
}

LineProgram::Step LineProgram::step() {
  if (reader_.rest().empty() || reader_.failed()) return Step::End;
  if (ended_) row_ = LineRow();
  ended_ = false;
  const uint8_t instruction = reader_.byte();
  if (instruction >= unit_.first_special) return special(instruction - unit_.first_special);
  return instruction == 0 ? extended() : standard(instruction);
}

// DWARF 5, 6.2.5.1.
LineProgram::Step LineProgram::special(uint8_t instruction) {
  advance(instruction / unit_.line_range);
  row_.line += static_cast<uint32_t>(unit_.line_base + instruction % unit_.line_range);
  return Step::Row;
}

// DWARF 5, 6.2.5.2.
LineProgram::Step LineProgram::standard(uint8_t instruction) {
  switch (instruction) {
    case 1: return Step::Row;                                                               // copy
    case 2: advance(reader_.number()); return Step::None;                                   // advance_pc
    case 3: row_.line += static_cast<uint32_t>(reader_.signedNumber()); return Step::None;  // advance_line
    case 4: row_.file = reader_.number(); return Step::None;                                // set_file
    case 8: advance((255 - unit_.first_special) / unit_.line_range); return Step::None;     // const_add_pc
    case 9: row_.address += static_cast<uint32_t>(reader_.fixed(2)); return Step::None;     // fixed_advance_pc
    default:
      for (auto left = static_cast<uint8_t>(unit_.lengths[instruction - 1u]); left > 0; --left) reader_.number();
      return Step::None;
  }
}

// DWARF 5, 6.2.5.3.
LineProgram::Step LineProgram::extended() {
  ByteReader parameters(reader_.take(reader_.number()));
  switch (parameters.byte()) {
    case 1: ended_ = !reader_.failed(); return ended_ ? Step::SequenceEnd : Step::End;
    case 2:
      row_.address = static_cast<uint32_t>(parameters.fixed(std::min<size_t>(parameters.rest().size(), 8)));
      break;
    default: break;
  }
  return Step::None;
}

}  // namespace weir::wasm
