// One unit of DWARF's .debug_line: its header, its program, and the names of its files (DWARF 5, 6.2; versions 2 to 5).
//
// The bytes are a plugin's and may say anything: reading ends with them, and what cannot be is absent. They must
// outlive what is made of them. Every step costs the bytes that it reads, and no more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "wasm/byte_reader.h"

namespace weir::wasm {

struct LineRow {
  uint32_t address = 0;  // From the beginning of the module's code section.
  uint32_t file = 1;
  uint32_t line = 1;
};

// What the program's instructions mean.
struct LineUnit {
  uint16_t version = 0;
  uint8_t offset_size = 4;
  uint8_t address_step = 1;
  int8_t line_base = 0;
  uint8_t line_range = 1;
  uint8_t first_special = 13;
  std::span<const std::byte> lengths;  // Of the parameters of standard instructions.
  std::span<const std::byte> tables;   // Folders and files.
  std::span<const std::byte> program;

  // Takes the unit that `section` begins with. nullopt: it is of no known form; the reader stands behind it, or has
  // failed.
  static std::optional<LineUnit> read(ByteReader& section);

  // "src/lib.rs"; empty if there is none of that number. strings: .debug_line_str.
  std::string fileName(uint32_t number, std::span<const std::byte> strings) const;
};

// Runs a unit's program.
class LineProgram {
 public:
  enum class Step : uint8_t {
    None,         // Nothing to be seen.
    Row,          // row() is one of the table's.
    SequenceEnd,  // row().address is the first behind the last row's; a new sequence begins.
    End,
  };
  // From the beginning, or from behind a row.
  LineProgram(const LineUnit& unit, size_t at, const LineRow& row)
      : unit_(unit), reader_(unit.program.subspan(at)), row_(row) {}

  // One instruction.
  Step step();
  const LineRow& row() const { return row_; }
  // How far into the program.
  size_t at() const { return unit_.program.size() - reader_.rest().size(); }

 private:
  Step special(uint8_t instruction);
  Step standard(uint8_t instruction);
  Step extended();
  void advance(uint64_t steps) { row_.address += static_cast<uint32_t>(steps * unit_.address_step); }

  const LineUnit& unit_;
  ByteReader reader_;
  LineRow row_;
  bool ended_ = false;  // The sequence: the next instruction is of a new one.
};

}  // namespace weir::wasm
