// Which line of which source file a module's instruction comes from, where its compiler has left that in the module
// (custom sections .debug_line and .debug_line_str). For backtraces of guests that died.
//
// Wasmtime could tell it, but only where an environment variable asks for it, and by code that would end the process if
// it ever failed on a plugin's bytes (docs/decisions/backtraces.md). Nothing is read before the first guest of the
// module dies; then the table is gone through once, and each question after it costs a few hundred bytes of the table
// and the names of one unit.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace weir::wasm {

struct LineUnit;

class SourceLines {
 public:
  // More is not kept: such a module's backtraces have no lines.
  static constexpr size_t kMostBytes = 8 * 1024 * 1024;

  // Null: the module has none, or too many.
  static std::unique_ptr<const SourceLines> read(std::span<const std::byte> module);

  // "src/lib.rs:42"; empty: not known. offset: of the instruction, in the module's file. Thread-safe.
  std::string find(uint64_t offset) const;

 private:
  // A piece of the table that can be run by itself: the rows from one on.
  struct Piece {
    uint32_t begin = 0;  // Addresses.
    uint32_t end = 0;
    uint32_t unit = 0;  // Place in the section.
    uint32_t at = 0;    // Place in the unit's program, behind the first row.
    uint32_t file = 0;  // Of the first row.
    uint32_t line = 0;
  };
  static constexpr size_t kPieceBytes = 256;  // Of a program, or a little more.
  static constexpr size_t kMostPieces = 200'000;

  SourceLines() = default;
  void index() const;
  void indexUnit(uint32_t place, const LineUnit& unit) const;
  void add(Piece piece, uint32_t end) const;

  uint64_t code_begin_ = 0;  // Of the code section's content, in the module.
  uint64_t code_size_ = 0;
  std::vector<std::byte> lines_;
  std::vector<std::byte> strings_;
  mutable std::once_flag indexed_;
  mutable std::vector<Piece> pieces_;  // By address.
};

}  // namespace weir::wasm
