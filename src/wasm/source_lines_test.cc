#include "wasm/source_lines.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "wasm/wasm_fixture.h"

namespace weir::wasm {
namespace {

using std::string_literals::operator""s;
using std::string_view_literals::operator""sv;
using testing::HasSubstr;

std::string leb(size_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
  return out += static_cast<char>(value);
}
std::string fixed(uint64_t value, int size) {
  std::string out;
  for (int i = 0; i < size; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}
std::string custom(std::string_view name, std::string_view content) {
  const std::string body = leb(name.size()) + std::string(name) + std::string(content);
  return '\0' + leb(body.size()) + body;
}

// A module whose code section has 4096 bytes from kCode on (which are no code: only the table is looked at).
constexpr uint64_t kCode = 11;
std::string moduleWith(std::string_view lines, std::string_view strings = {}) {
  return "\0asm\1\0\0\0\x0a"s + leb(4096) + std::string(4096, '\0') + custom(".debug_line", lines) +
         custom(".debug_line_str", strings);
}

constexpr std::string_view kLengths = "\0\1\1\1\1\0\0\0\1\0\0\1"sv;  // Of the twelve standard instructions.

// A unit of version 2 to 4 with the file src/lib.rs (1) and /abs/main.c (2).
std::string unit(int version, std::string_view program) {
  const std::string tables = "src\0\0lib.rs\0\1\0\0/abs/main.c\0\1\0\0\0"s;
  std::string header = "\1"s + (version >= 4 ? "\1" : "") + "\1\xfb\x0e\x0d" + std::string(kLengths) + tables;
  header = fixed(header.size(), 4) + header;
  const std::string body = fixed(static_cast<uint64_t>(version), 2) + header + std::string(program);
  return fixed(body.size(), 4) + body;
}

std::string setAddress(uint32_t address) { return "\0\5\2"s + fixed(address, 4); }
const std::string kEnd = "\0\1\1"s;
std::string advancePc(size_t by) { return "\2" + leb(by); }
std::string setLine(size_t by) { return "\3" + leb(by); }  // Forward, less than 64.
const std::string kCopy = "\1";
// Ten bytes of a function at `address` in line 10, then ten in line 12.
std::string function(uint32_t address) {
  return setAddress(address) + setLine(9) + kCopy + advancePc(10) + setLine(2) + kCopy + advancePc(10) + kEnd;
}

std::unique_ptr<const SourceLines> read(const std::string& module) {
  return SourceLines::read(std::as_bytes(std::span(module)));
}
std::string lineAt(const std::string& module, uint32_t address) {
  const auto lines = read(module);
  return lines == nullptr ? "none" : lines->find(kCode + address);
}

TEST(SourceLines, AnAddressHasTheLineOfTheLastRowBeforeIt) {
  for (const int version : {2, 3, 4}) {
    const std::string module = moduleWith(unit(version, function(100) + function(300)));
    EXPECT_EQ(lineAt(module, 99), "") << version;
    EXPECT_EQ(lineAt(module, 100), "src/lib.rs:10");
    EXPECT_EQ(lineAt(module, 109), "src/lib.rs:10");
    EXPECT_EQ(lineAt(module, 110), "src/lib.rs:12");
    EXPECT_EQ(lineAt(module, 119), "src/lib.rs:12");
    EXPECT_EQ(lineAt(module, 120), "");
    EXPECT_EQ(lineAt(module, 305), "src/lib.rs:10");
  }
}

TEST(SourceLines, SpecialAndOtherInstructionsAreUnderstood) {
  const std::string program = setAddress(64) + "\4\2" + kCopy + "\x83" + "\5\7\6\7\x0a\x0b\x0c\1" + "\x08" +
                              "\x09\4\0"s + kCopy + "\0\2\4\x63" + kEnd;  // Discriminator in the end.
  const std::string module = moduleWith(unit(4, program));
  EXPECT_EQ(lineAt(module, 64), "/abs/main.c:1");
  // 0x83 is 131 - 13 = 118: 8 addresses and 118 % 14 - 5 = 1 line on; then 17 by const_add_pc and 4.
  EXPECT_EQ(lineAt(module, 71), "/abs/main.c:1");
  EXPECT_EQ(lineAt(module, 72), "/abs/main.c:2");
}

TEST(SourceLines, Version5NamesItsFilesByFormsOfItsOwn) {
  const std::string tables = "\1\1\x1f\2"s + fixed(0, 4) + fixed(5, 4) + "\3\1\x1f\2\x0b\5\x1e\2"s + fixed(9, 4) +
                             "\0"s + std::string(16, 'm') + fixed(17, 4) + "\1"s + std::string(16, 'm');
  std::string header = "\1\1\1\xfb\x0e\x0d"s + std::string(kLengths) + tables;
  header = "\4\0"s + fixed(header.size(), 4) + header;
  const auto make = [&](int file) {
    const std::string body =
        "\5\0"s + header + setAddress(8) + "\4" + leb(static_cast<size_t>(file)) + kCopy + advancePc(4) + kEnd;
    return moduleWith(fixed(body.size(), 4) + body, "/top\0sub\0main.rs\0part.rs\0"s);
  };
  EXPECT_EQ(lineAt(make(0), 8), "/top/main.rs:1");
  EXPECT_EQ(lineAt(make(1), 11), "sub/part.rs:1");
  EXPECT_EQ(lineAt(make(2), 11), "");
}

TEST(SourceLines, LongFunctionsAndManyOfThemAreFound) {
  std::string program = setAddress(100);
  for (int i = 0; i < 1000; ++i) program += setLine(1) + kCopy + advancePc(1);
  program += kEnd;
  for (uint32_t i = 0; i < 200; ++i) program += function(2000 + i * 10 * 2);
  const std::string module = moduleWith(unit(4, program));
  const auto lines = read(module);
  for (uint32_t i = 0; i < 1000; ++i) EXPECT_EQ(lines->find(kCode + 100 + i), fmt::format("src/lib.rs:{}", i + 2));
  for (uint32_t i = 0; i < 100; ++i) EXPECT_EQ(lines->find(kCode + 2000 + i * 20 + 15), "src/lib.rs:12");
}

TEST(SourceLines, InstructionsOfNoSourceHaveTheLineBeforeThem) {
  const std::string program =
      setAddress(50) + setLine(6) + kCopy + advancePc(5) + "\3\x79" + kCopy + advancePc(5) + kEnd;
  EXPECT_EQ(lineAt(moduleWith(unit(4, program)), 57), "src/lib.rs:7");
}

TEST(SourceLines, FunctionsThatTheLinkerDroppedAreNotFound) {
  const std::string program = setAddress(0) + kCopy + advancePc(4000) + kEnd + setAddress(0xfffffff0) + kCopy +
                              advancePc(8) + kEnd + function(100);
  const std::string module = moduleWith(unit(4, program));
  EXPECT_EQ(lineAt(module, 50), "");
  EXPECT_EQ(lineAt(module, 105), "src/lib.rs:10");
}

TEST(SourceLines, AUnitThatCannotBeReadLeavesTheOthers) {
  std::string unknown = unit(4, function(100));
  unknown[4] = 9;  // Its version.
  EXPECT_EQ(lineAt(moduleWith(unknown + unit(4, function(200))), 205), "src/lib.rs:10");
}

TEST(SourceLines, AModuleWithoutThemHasNone) {
  EXPECT_EQ(read("\0asm\1\0\0\0"s), nullptr);
  EXPECT_EQ(read(moduleWith("")), nullptr);
}

TEST(SourceLines, TooLargeATableIsNotKept) {
  EXPECT_EQ(read(moduleWith(std::string(SourceLines::kMostBytes + 1, '\0'))), nullptr);
}

TEST(SourceLines, NamesAreMadePrintableAndCut) {
  std::string bad = unit(4, function(100));
  bad.replace(bad.find("lib.rs"), 6, "l\nb\x1b[m");
  EXPECT_EQ(lineAt(moduleWith(bad), 105), "src/l?b?[m:10");
}

TEST(SourceLines, WhatIsCutOffAnywhereIsAbsentAndNoMore) {
  const std::string table = unit(4, function(100) + function(300));
  for (size_t size = 0; size < table.size(); ++size) lineAt(moduleWith(table.substr(0, size)), 105);
  const std::string whole = moduleWith(table);
  for (size_t size = 0; size < whole.size(); ++size) lineAt(whole.substr(0, size), 105);
}

// Many units, each with more pieces than may be kept together.
TEST(SourceLines, OfATableWithoutEndAsMuchIsFoundAsIsKept) {
  std::string program;
  for (int i = 0; i < 1000; ++i) program += setAddress(1 + i % 2) + kCopy + advancePc(1) + kEnd;
  const std::string one = unit(4, program);
  std::string table;
  while (table.size() + one.size() < SourceLines::kMostBytes / 2) table += one;
  const auto lines = read(moduleWith(table + unit(4, function(100))));
  ASSERT_NE(lines, nullptr);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(lines->find(kCode + 1), "src/lib.rs:1");
  EXPECT_EQ(lines->find(kCode + 100), "");
}

class BacktraceTest : public WasmFixture {};

// The text format can hold the table. The code section has ten bytes.
TEST_F(BacktraceTest, HasTheLineOfEachFrameWhereTheModuleKnowsIt) {
  std::string bytes;
  for (const char c : unit(4, setAddress(1) + setLine(41) + kCopy + advancePc(9) + kEnd)) {
    bytes += fmt::format("\\{:02x}", static_cast<unsigned char>(c));
  }
  const auto instance = make(fmt::format(R"((module (func $inner unreachable) (func (export "run") call $inner)
                                             (@custom ".debug_line" "{}")))",
                                         bytes));
  EXPECT_FALSE(instance->call(instance->function("run", type(0, 0)), {}, kLong).ok());
  EXPECT_THAT(instance->backtrace(), HasSubstr(" - inner at src/lib.rs:42\n"));
  EXPECT_THAT(instance->backtrace(), HasSubstr("  1:  "));
}

}  // namespace
}  // namespace weir::wasm
