#include "wasm/source_lines.h"

#include <fmt/format.h>

#include <algorithm>

#include "wasm/line_table.h"

namespace weir::wasm {
namespace {

constexpr size_t kHeaderBytes = 8;  // "\0asm" and the version.
constexpr uint8_t kCustomSection = 0;
constexpr uint8_t kCodeSection = 10;
constexpr size_t kLongestName = 256;  // Of longer ones the end is told.

std::vector<std::byte> copyOf(std::span<const std::byte> bytes) { return {bytes.begin(), bytes.end()}; }

// Names are the plugin's, the log is ours.
std::string printable(std::string name) {
  if (name.size() > kLongestName) name = "..." + name.substr(name.size() - kLongestName);
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
  return name;
}

}  // namespace

std::unique_ptr<const SourceLines> SourceLines::read(std::span<const std::byte> bytes) {
  std::unique_ptr<SourceLines> found(new SourceLines());
  std::span<const std::byte> lines, strings;
  ByteReader module(bytes);
  module.take(kHeaderBytes);
  while (!module.failed() && !module.rest().empty()) {
    const uint8_t id = module.byte();
    ByteReader section(module.take(module.number()));
    if (module.failed()) break;
    if (id == kCodeSection) {
      found->code_size_ = section.rest().size();
      found->code_begin_ = bytes.size() - module.rest().size() - found->code_size_;
    }
    if (id != kCustomSection) continue;
    const std::string_view name = section.text(section.number());
    if (name == ".debug_line") lines = section.rest();
    if (name == ".debug_line_str") strings = section.rest();
  }
  if (lines.empty() || lines.size() + strings.size() > kMostBytes) return nullptr;
  found->lines_ = copyOf(lines);
  found->strings_ = copyOf(strings);
  return found;
}

std::string SourceLines::find(uint64_t offset) const {
  std::call_once(indexed_, [this] { index(); });
  const uint64_t address = offset - code_begin_;
  if (offset < code_begin_ || address >= code_size_) return {};
  auto place = std::upper_bound(pieces_.begin(), pieces_.end(), address,
                                [](uint64_t wanted, const Piece& piece) { return wanted < piece.begin; });
  if (place == pieces_.begin() || address >= (--place)->end) return {};

  const std::span<const std::byte> table(lines_);
  ByteReader section(table.subspan(place->unit));
  const auto unit = LineUnit::read(section);
  if (!unit) return {};
  LineRow row{place->begin, place->file, place->line};
  LineProgram program(*unit, place->at, row);
  while (program.at() <= place->at + 2 * kPieceBytes) {
    const LineProgram::Step step = program.step();
    if (step == LineProgram::Step::None) continue;
    if (step != LineProgram::Step::Row || program.row().address > address) break;
    // 0: the compiler's own instructions, for the sake of what stands before them.
    if (program.row().line != 0) row = program.row();
  }
  if (row.line == 0) return {};
  std::string name = unit->fileName(row.file, strings_);
  return name.empty() ? name : fmt::format("{}:{}", printable(std::move(name)), row.line);
}

void SourceLines::index() const {
  ByteReader section(lines_);
  while (!section.failed() && !section.rest().empty()) {
    const auto place = static_cast<uint32_t>(lines_.size() - section.rest().size());
    if (const auto unit = LineUnit::read(section)) indexUnit(place, *unit);
  }
  std::stable_sort(pieces_.begin(), pieces_.end(), [](const Piece& a, const Piece& b) { return a.begin < b.begin; });
  pieces_.shrink_to_fit();
}

void SourceLines::indexUnit(uint32_t place, const LineUnit& unit) const {
  LineProgram program(unit, 0, LineRow());
  Piece piece;
  bool open = false;
  for (;;) {
    const LineProgram::Step step = program.step();
    const LineRow& row = program.row();
    if (step == LineProgram::Step::End) return;
    if (step == LineProgram::Step::SequenceEnd) {
      if (open) add(piece, row.address);
      open = false;
      continue;
    }
    if (step != LineProgram::Step::Row) continue;
    const size_t at = program.at();
    if (open && (row.line == 0 || at - piece.at < kPieceBytes)) continue;
    if (open) add(piece, row.address);
    piece = {row.address, row.address, place, static_cast<uint32_t>(at), row.file, row.line};
    open = true;
  }
}

// Functions that the linker has dropped lie at 0 or behind the end.
void SourceLines::add(Piece piece, uint32_t end) const {
  piece.end = end;
  if (piece.begin == 0 || piece.end <= piece.begin || piece.end > code_size_) return;
  if (pieces_.size() < kMostPieces) pieces_.push_back(piece);
}

}  // namespace weir::wasm
